"""Small untrained classifiers that can be explained."""

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


def recurrent(name):
    sizes = {"max_length": 16, "vocab_size": 50, "embed_dim": 8, "units": 6}
    keras.utils.set_random_seed(0)
    classifier = create_classifier(name, LABEL_NAMES, TRAIN_TEXTS, options=sizes)
    for weight in classifier.network.weights:  # Keras' first embeddings hardly differ
        weight.assign(2 * weight if len(weight.shape) < 2 else weight * 3)
    return classifier


@pytest.fixture(scope="session")
def rnn_attention():
    return recurrent("rnn_attention")


@pytest.fixture(scope="session")
def lstm():
    return recurrent("lstm")


@pytest.fixture(scope="session")
def bert(tiny_checkpoint):
    options = {"max_length": 16, "precision": "float32"}
    keras.utils.set_random_seed(0)
    return create_classifier(str(tiny_checkpoint), LABEL_NAMES, [], options=options)


@pytest.fixture(scope="session")
def explained(transformer, bert, rnn_attention, lstm):
    models = (transformer, bert, rnn_attention, lstm)
    return dict(zip(("transformer", "bert", "rnn_attention", "lstm"), models, strict=True))
