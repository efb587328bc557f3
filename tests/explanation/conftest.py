"""Two small untrained classifiers with attention."""

import pytest

from kerasnlp_lab._keras import keras
from kerasnlp_lab.zoo import create_classifier

LABEL_NAMES = ("World", "Sports", "Business")
TRAIN_TEXTS = ["the cat sat on a mat", "a dog ran", "oil stock team game goal don't"]


@pytest.fixture(scope="session")
def transformer():
    sizes = {
        "max_length": 16,
        "vocab_size": 50,
        "embed_dim": 8,
        "ff_dim": 8,
        "num_heads": 2,
        "num_blocks": 2,
    }
    keras.utils.set_random_seed(0)  # with other weights, 16 steps may add up less exactly
    return create_classifier("transformer", LABEL_NAMES, TRAIN_TEXTS, options=sizes)


@pytest.fixture(scope="session")
def bert(tiny_checkpoint):
    options = {"max_length": 16, "precision": "float32"}
    keras.utils.set_random_seed(0)
    return create_classifier(str(tiny_checkpoint), LABEL_NAMES, [], options=options)


@pytest.fixture(scope="session")
def explained(transformer, bert):
    return {"transformer": transformer, "bert": bert}
