"""Each private name in `kerasnlp_lab._internals` exists and behaves as expected."""

import inspect

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text
from official.nlp.optimization import AdamWeightDecay

from kerasnlp_lab import _internals
from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert import load_hub_layer
from kerasnlp_lab.layers import TransformerBlock


def test_public_names_are_all_there():
    for name in _internals.__all__:
        assert getattr(_internals, name) is not None


def test_random_layers_are_found_within_layers():
    inputs = keras.Input((None, 8))
    block = TransformerBlock(embed_dim=8, num_heads=2, ff_dim=8)
    network = keras.Model(inputs, keras.layers.Dropout(0.5)(block(inputs)))
    found = _internals.random_layers(network)
    dropouts = [one for one in found if isinstance(one, keras.layers.Dropout)]
    assert len(dropouts) == 3
    assert block.dropout1 in dropouts and block.dropout2 in dropouts


def test_a_random_layer_draws_from_the_generator_that_it_is_given():
    layer = keras.layers.Dropout(0.5)
    before, parts = _internals.random_generator(layer), list(layer.submodules)
    generator = _internals.stateless_generator(layer)
    generator.make_seed_for_stateless_op = lambda: tf.constant([1, 2], tf.int64)
    _internals.set_random_generator(layer, generator)
    assert _internals.random_generator(layer) is generator is not before
    assert list(layer.submodules) == parts
    ones = tf.ones([100])
    one, other = (layer(ones, training=True).numpy() for _ in range(2))
    np.testing.assert_array_equal(one, other)  # the seed is the same
    generator.make_seed_for_stateless_op = lambda: tf.constant([1, 3], tf.int64)
    assert (layer(ones, training=True).numpy() != one).any()


def test_keras_random_layer_seeds_its_generator():
    class Noise(_internals.RandomLayer):
        def call(self, inputs):
            return inputs + _internals.random_generator(self).random_uniform(tf.shape(inputs))

    drawn = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        drawn.append(Noise()(tf.zeros([5])).numpy())
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).all()


def test_slots_are_created_before_the_first_step():
    optimizer = keras.optimizers.legacy.Adam(0.1)
    variable = tf.Variable([1.0, 2.0])
    _internals.create_slots(optimizer, [variable])
    assert [one.shape for one in optimizer.variables()] == [(), (2,), (2,)]


class Watched(_internals.DenseUpdates, keras.optimizers.legacy.Adam):
    def learning_rate_share(self, variable):
        return 0.5


def test_keras_asks_a_variables_share_for_dense_and_sparse_gradients():
    sparse = tf.IndexedSlices(tf.ones([2, 1]), tf.constant([0, 0]), tf.constant([3, 1]))
    for gradient in (tf.ones([3, 1]), sparse):
        moved = []
        for kind in (Watched, keras.optimizers.legacy.Adam):
            variable = tf.Variable(tf.zeros([3, 1]))
            kind(0.1).apply_gradients([(gradient, variable)])
            moved.append(variable.numpy())
        np.testing.assert_allclose(moved[0], 0.5 * moved[1], rtol=1e-5)
        assert np.abs(moved[1]).max() > 0.05


@pytest.mark.parametrize(
    "hook", ["_resource_apply_dense", "_resource_apply_sparse_duplicate_indices"]
)
def test_the_hooks_of_updates_are_those_of_keras(hook):
    keras_own = inspect.signature(getattr(keras.optimizers.legacy.Adam, hook)).parameters
    assert set(keras_own) <= {*inspect.signature(getattr(Watched, hook)).parameters, "kwargs"}


def test_the_model_garden_decays_by_our_hook():
    class OnePass(_internals.OnePassDecay, AdamWeightDecay):
        calls = 0

        def _decay_weights_op(self, var, learning_rate, apply_state):
            OnePass.calls += 1
            return super()._decay_weights_op(var, learning_rate, apply_state)

    values = []
    for kind in (OnePass, AdamWeightDecay):
        optimizer = kind(0.1, weight_decay_rate=0.5, exclude_from_weight_decay=["bias"])
        variables = [tf.Variable([2.0], name=name) for name in ("kernel", "bias")]
        optimizer.apply_gradients([(tf.zeros([1]), one) for one in variables])
        values.append([float(one[0]) for one in variables])
    assert OnePass.calls == 2
    assert values[0] == pytest.approx(values[1])
    assert values[0][0] < 2.0 == values[0][1]


def test_a_hub_layer_has_its_handle(tiny_modules):
    layer = load_hub_layer(str(tiny_modules / "encoder"))
    assert _internals.handle_of(layer) == str(tiny_modules / "encoder")


def test_a_saved_model_is_parsed(tiny_modules, tmp_path):
    model = _internals.parse_saved_model(tiny_modules / "preprocess")
    assert model.meta_graphs[0].object_graph_def.nodes
    assert [one.filename for one in model.meta_graphs[0].asset_file_def] == ["vocab.txt"]
    with pytest.raises(OSError):
        _internals.parse_saved_model(tmp_path)


def test_slurm_lists_are_expanded_in_their_order():
    found = _internals.expand_slurm_nodes("b[01-02],a", "2(x2),1")
    assert found == [("b01", 2), ("b02", 2), ("a", 1)]
    with pytest.raises(ValueError):
        _internals.expand_slurm_nodes("a,b", "1")
    with pytest.raises(ValueError):
        _internals.expand_slurm_nodes("a", "one")


def test_tokenizers_take_the_models_that_are_built_for_them():
    pieces = [b"[UNK]", b"cat", b"##s"]
    model = _internals.build_fast_wordpiece_model(pieces, 100, "##", "[UNK]", False, False)
    tokenizer = tensorflow_text.FastWordpieceTokenizer(
        token_out_type=tf.int32, model_buffer=np.frombuffer(model, np.uint8)
    )
    assert tokenizer.tokenize(["cats dog"]).to_list() == [[1, 2, 0]]
    model = _internals.build_fast_bert_normalizer_model(True)
    normalizer = tensorflow_text.FastBertNormalizer(model_buffer=np.frombuffer(model, np.uint8))
    assert normalizer.normalize(["É"]).numpy().tolist() == [b"e"]


def test_berts_tokenizer_splits_by_the_class_that_it_is_given(tmp_path):
    class ByCommas(_internals.BasicTokenizer):
        def tokenize(self, text_input):
            return tf.strings.split(text_input, ",")

    (tmp_path / "vocab.txt").write_text("[UNK]\na b\nc\n")
    tokenizer = tensorflow_text.BertTokenizer(
        str(tmp_path / "vocab.txt"), token_out_type=tf.string, basic_tokenizer_class=ByCommas
    )
    assert tokenizer.tokenize(["a b,c"]).to_list() == [[[b"a b"], [b"c"]]]


def test_a_checkpoint_names_the_variables_of_its_tensors(tiny_modules):
    reader = tf.train.load_checkpoint(str(tiny_modules / "encoder" / "variables" / "variables"))
    keys = _internals.checkpoint_keys(reader)
    layer = load_hub_layer(str(tiny_modules / "encoder"))
    for variable in layer.variables:
        value = reader.get_tensor(keys[variable.name.removesuffix(":0")])
        np.testing.assert_array_equal(value, variable.numpy())
