"""A classifier that reads characters answers alike in Python, when loaded, and exported."""

import numpy as np
import pytest
import tensorflow as tf

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.export import export_classifier, open_predictor
from kerasnlp_lab.training import train
from kerasnlp_lab.zoo import create_classifier, find_model, load_classifier, predict_logits
from tests.text.languages import CHINESE, mixed_scripts, unspaced


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    rows = [Split(*unspaced(CHINESE, rows, seed)) for seed, rows in enumerate((150, 30, 0))]
    texts = [*rows[0].texts, *mixed_scripts(60, seed=1)]
    ids = [*rows[0].labels, *np.arange(60) % 3]
    keep = [row for row, text in enumerate(texts) if text.strip()]
    mixed = Split([texts[row] for row in keep], [ids[row] for row in keep])
    data = TextDataset("mixed", tuple(CHINESE), mixed, *rows[1:])
    classifier = create_classifier("tfidf_linear", data.label_names, mixed.texts)
    assert classifier.text.tokens == "characters"
    train(classifier, data, find_model("tfidf_linear").recipe, tmp_path_factory.mktemp("run"))
    return classifier


@pytest.mark.slow  # test_saved_model.py exports one that reads words
def test_mixed_scripts_have_the_same_labels_everywhere(classifier, tmp_path):
    texts = mixed_scripts(1000)
    expected = predict_logits(classifier, texts)
    assert np.isfinite(expected).all() and len(set(expected.argmax(axis=1))) == 3
    alone = classifier.model(tf.constant(texts[:100]))
    np.testing.assert_allclose(alone, expected[:100], atol=1e-5)
    classifier.save(tmp_path / "saved")
    loaded = load_classifier(tmp_path / "saved")
    assert loaded.options == classifier.options
    np.testing.assert_array_equal(predict_logits(loaded, texts), expected)
    export_classifier(classifier, tmp_path / "exported", trained={})
    labels = [answer.label for answer in open_predictor(tmp_path / "exported").predict(texts)]
    assert labels == [classifier.label_names[number] for number in expected.argmax(axis=1)]
