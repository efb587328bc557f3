"""Three classifiers of different kinds, each with the folder of its export."""

import pytest

from kerasnlp_lab.data import load_dataset
from kerasnlp_lab.export import export_classifier
from kerasnlp_lab.training import train
from kerasnlp_lab.zoo import create_classifier, find_model
from tests.hub.tfhub_cache import SMALL_BERT, fill_tfhub_cache

LABEL_NAMES = ("World", "Sports", "Business", "Sci/Tech")
TRAIN_TEXTS = ["the cat sat", "a dog ran", "oil stock team game goal", "chip code web war vote"]


@pytest.fixture(scope="session")
def transformer():
    sizes = {"max_length": 32, "vocab_size": 50, "embed_dim": 8, "ff_dim": 8}
    return create_classifier("transformer", LABEL_NAMES, TRAIN_TEXTS, options=sizes)


@pytest.fixture(scope="session")
def hub_bert(tiny_modules, tmp_path_factory):
    cache = tmp_path_factory.mktemp("tfhub_cache")
    fill_tfhub_cache(cache, tiny_modules)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TFHUB_CACHE_DIR", str(cache))
        options = {"max_length": 32, "precision": "float32"}
        return create_classifier(SMALL_BERT, LABEL_NAMES, [], options=options)


@pytest.fixture(scope="session")
def tfidf(tmp_path_factory):
    data = load_dataset("news_sample")
    classifier = create_classifier("tfidf_linear", data.label_names, data.train.texts)
    recipe = find_model("tfidf_linear").recipe
    train(classifier, data, recipe, tmp_path_factory.mktemp("tfidf"))
    return classifier


@pytest.fixture(scope="session")
def exported(transformer, hub_bert, tfidf, tmp_path_factory):
    """The classifiers and their exports, by name."""
    folder = tmp_path_factory.mktemp("exported")
    classifiers = {"transformer": transformer, "hub_bert": hub_bert, "tfidf": tfidf}
    for name, classifier in classifiers.items():
        export_classifier(classifier, folder / name, trained={"seed": 7})
    return {name: (classifier, folder / name) for name, classifier in classifiers.items()}
