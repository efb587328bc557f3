"""MiniLM's encoder matches PyTorch's BertModel on real sentences of all lengths up to 512."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from kerasnlp_lab.hub import minilm_modules

ATOL = 1e-4
VECTORS = dict(np.load(Path(__file__).with_name("bert_vectors.npz")))  # from make_bert_vectors.py


def name_of(batch):
    rows = VECTORS["batch"] == batch
    lengths = "+".join(map(str, VECTORS["length"][rows]))
    return f"{lengths} in two segments" if VECTORS["type_ids"][rows].any() else lengths


@pytest.fixture(scope="module")
def encoder():
    return hub.KerasLayer(minilm_modules().encoder)


@pytest.mark.parametrize("batch", np.unique(VECTORS["batch"]), ids=name_of)
def test_outputs_equal_those_of_bertmodel(encoder, batch):
    rows = np.flatnonzero(VECTORS["batch"] == batch)
    lengths = VECTORS["length"][rows].astype(int)
    width = lengths.max()
    outputs = encoder(
        {
            "input_word_ids": tf.constant(VECTORS["input_ids"][rows, :width], tf.int32),
            "input_mask": tf.sequence_mask(lengths, width, tf.int32),
            "input_type_ids": tf.constant(VECTORS["type_ids"][rows, :width], tf.int32),
        }
    )
    assert len(outputs["encoder_outputs"]) == 6
    layers, last = np.stack(outputs["encoder_outputs"]), outputs["sequence_output"].numpy()
    for index, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        found = {
            "pooled_output": outputs["pooled_output"][index],
            "sequence_output": last[index, [0, length // 2, length - 1]],
            "layer_means": layers[:, index, :length, :: VECTORS["layer_means_step"]].mean(axis=1),
        }
        for name, value in found.items():
            expected = VECTORS[name][row]
            np.testing.assert_allclose(value, expected, rtol=0, atol=ATOL, err_msg=name)
