"""A BERT in a folder gives the same classifier as a module and reopened."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf
import tensorflow_hub as hub
from official.nlp.modeling import networks
from official.nlp.tools import export_tfhub_lib
from safetensors.numpy import load_file, save_file

from kerasnlp_lab import create_classifier, load_dataset, train
from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert import HubVectorizer, fast_encoder, load_hub_layer
from kerasnlp_lab.bert.checkpoint import read_config
from kerasnlp_lab.bert.real_positions import RealPositions
from kerasnlp_lab.bert.reopening import checkpoint_of_module
from kerasnlp_lab.errors import HubError, OptionError, UnknownNameError
from kerasnlp_lab.export.hub_modules import build_modules
from kerasnlp_lab.hub import minilm_modules
from kerasnlp_lab.lab import ExperimentConfig, run_experiment
from kerasnlp_lab.lab.reading import notes_on_reading
from kerasnlp_lab.tasks import Classification, Entities, MultiLabel
from kerasnlp_lab.zoo import (
    Recipe,
    create_model,
    find_model,
    load_classifier,
    predict_logits,
)
from tests.bert.checkpoints import change_config
from tests.tiny_bert import TINY_VOCABULARY, write_tiny_checkpoint

TEXTS = ["The Cat sat, the dog ran!", "oil", "", "a team Match . goal ' goal ' goal"]
# Exact comparisons need float32, even if this machine would choose bfloat16.
SMALL = {"max_length": 32, "dropout": 0.0, "precision": "float32"}
VOCABULARY = [{"the": "The", "cat": "Cat"}.get(piece, piece) for piece in TINY_VOCABULARY]
LABELS = ("World", "Sports", "Business", "Sci/Tech")


@pytest.fixture(scope="module")
def bert_base_vocabulary():
    """bert-base-uncased's vocabulary, which MiniLM shares."""
    return Path(minilm_modules().preprocess, "assets", "vocab.txt")


@pytest.fixture(scope="module")
def one_type(tmp_path_factory):
    """A BERT that was pre-trained on single texts, with one type of tokens."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("types") / "one-type", types=1)


def test_a_bert_with_one_type_of_tokens_is_for_single_texts(one_type):
    settings = {"options": SMALL, "pair": ("premise", "hypothesis")}
    with pytest.raises(OptionError, match="one type of tokens only, but a pair of texts needs two"):
        create_model(str(one_type), Classification(("no", "yes")), ["cat\x1fdog"], **settings)
    alone = create_model(str(one_type), Classification(("no", "yes")), [], options=SMALL)
    assert np.isfinite(predict_logits(alone, TEXTS)).all()


@pytest.mark.parametrize(
    ("task", "mixed"),
    [(Classification, False), (MultiLabel, False), (Entities, True)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_attention_pads_two_halves_apart_where_batches_have_texts_of_any_lengths(
    task, mixed, folder, monkeypatch
):
    """In training alone: predictions sort texts by their lengths."""
    seen = []

    class Spy(RealPositions):
        def __init__(self, mask, *, differentiable, halves=False):
            seen.append(halves)
            super().__init__(mask, differentiable=differentiable, halves=halves)

    monkeypatch.setattr(fast_encoder, "RealPositions", Spy)
    classifier = create_model(str(folder), task(("a", "b")), [], options=SMALL)
    features = classifier.text(tf.constant(TEXTS))
    seen.clear()
    classifier.network(features, training=True)
    classifier.network(features, training=False)
    assert seen == [mixed, False]


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """Builds modules in a separate cache."""
    monkeypatch.setenv("KERASNLP_LAB_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def folder(tiny_checkpoint):
    """A user's own checkpoint: a BERT of two layers."""
    return tiny_checkpoint


@pytest.fixture(scope="module")
def cased_folder(tiny_checkpoint, tmp_path_factory):
    """The same, but cased and without dropout."""
    folder = tmp_path_factory.mktemp("own") / "cased-bert"
    shutil.copytree(tiny_checkpoint, folder)
    change_config(folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    return folder


@pytest.fixture(scope="module")
def news():
    """Some news rows of all four classes."""
    whole = load_dataset("news_sample")
    parts = {
        name: getattr(whole, name).take(np.arange(rows))
        for name, rows in (("train", 64), ("validation", 16), ("test", 16))
    }
    return dataclasses.replace(whole, **parts)


def build(folder, **options):
    return create_classifier(str(folder), LABELS, [], options=SMALL | options)


def shake(classifier):
    """Changes every weight, so that none has its original value."""
    rng = np.random.default_rng(0)
    for weight in classifier.network.weights:
        if weight.dtype.is_floating:
            weight.assign_add(rng.normal(0, 0.1, weight.shape))


def snapshot(classifier):
    weights = classifier.network.weights
    return {w.name: w.numpy() for w in weights if w.dtype.is_floating}


@pytest.mark.parametrize(
    "first, second",
    [
        ("module", "reopened"),
        pytest.param("reopened", "module", marks=pytest.mark.slow),
    ],
)
def test_what_one_path_saves_loads_in_the_other(first, second, folder, tmp_path):
    classifier = build(folder, encoder=first, pooling="mean")
    shake(classifier)
    expected = predict_logits(classifier, TEXTS)
    classifier.save(tmp_path / "model")
    loaded = load_classifier(tmp_path / "model", options={"encoder": second})
    assert isinstance(loaded.encoder, hub.KerasLayer) == (second == "module")
    assert np.ptp(expected, axis=0).min() > 1e-3  # the texts have different logits
    np.testing.assert_allclose(predict_logits(loaded, TEXTS), expected, atol=1e-5)
    with pytest.raises(OptionError, match="pooling must be the same as in training"):
        load_classifier(tmp_path / "model", options={"pooling": "pooled_output"})


@pytest.mark.parametrize(
    "options, frozen_parts",
    [
        pytest.param({"encoder": "module"}, (), marks=pytest.mark.slow),
        ({"encoder": "reopened", "frozen_layers": 1}, ("embedding", "layer_0/")),
    ],
    ids=["module", "reopened"],
)
def test_training_moves_all_but_what_is_frozen(options, frozen_parts, folder, news, tmp_path):
    classifier = build(folder, **options)
    before = snapshot(classifier)
    recipe = Recipe(epochs=1, frozen_epochs=1, batch_size=32, learning_rate=1e-2, layer_decay=0.9)
    result = train(classifier, news, recipe, tmp_path)
    assert [line["phase"] for line in result.history] == ["frozen", "fine-tune"]
    if result.best_epoch == 1:
        pytest.fail("the test proves nothing: fine-tuning did not improve the loss")
    moved = {name for name, value in snapshot(classifier).items() if np.any(value != before[name])}
    for name in before:
        if name.endswith("key/bias:0"):
            continue  # softmax cancels it, so its gradient is only rounding
        frozen = any(part in name for part in frozen_parts)
        assert (name in moved) == (not frozen), name


def test_the_frozen_phase_moves_the_head_alone(folder, news, tmp_path):
    """The encoder keeps only its lowest layer, in mixed precision."""
    classifier = build(folder, encoder="reopened", layers=1, precision="mixed_bfloat16")
    before = snapshot(classifier)
    parts = {part for name in before for part in name.split("/")}
    assert "layer_0" in parts and "layer_1" not in parts
    result = train(classifier, news, Recipe(epochs=0, frozen_epochs=1), tmp_path)
    moved = {name for name, value in snapshot(classifier).items() if np.any(value != before[name])}
    assert moved == {"classifier/kernel:0", "classifier/bias:0"}
    assert result.trained_parameters == 4 * 16 + 4
    assert keras.mixed_precision.global_policy().name == "float32"


def test_more_word_pieces_than_the_encoder_has_positions_for(folder):
    """128 is too long for a BERT with 64 positions, and the error comes before the training."""
    with pytest.raises(OptionError, match="max_length must be .*64"):
        create_classifier(str(folder), LABELS, [])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"encoder": "modul"}, "encoder must be 'module' or 'reopened', got 'modul'"),
        (
            {"encoder": "module", "frozen_layers": 2},
            "frozen_layers must be 0 unless encoder=reopened, got 2",
        ),
        ({"encoder": "module", "layers": "3"}, "layers must be 0 unless encoder=reopened, got 3"),
        (
            {"encoder": "module", "precision": "mixed_bfloat16"},
            "precision must be 'float32' unless encoder=reopened",
        ),
        ({"encoder": "reopened", "precision": "half"}, "precision must be auto or one of"),
        ({"encoder": "reopened", "layers": -1}, "layers must be 0 or more, got -1"),
        ({"encoder": "reopened", "frozen_layers": -1}, "frozen_layers must be 0 or more, got -1"),
    ],
    ids=str,
)
def test_options_that_cannot_be(folder, options, message):
    with pytest.raises(OptionError, match=message):
        find_model(str(folder)).with_options(options)


def test_more_frozen_layers_than_there_are(folder):
    with pytest.raises(OptionError, match="frozen_layers"):
        build(folder, encoder="reopened", frozen_layers=3)


# Names of models.

SMALL_BERT = "small_bert/bert_en_uncased_L-4_H-128_A-2"


@pytest.mark.parametrize(
    "name, expected",
    [
        (SMALL_BERT, SMALL_BERT),
        (f"https://tfhub.dev/tensorflow/{SMALL_BERT}/1", SMALL_BERT),
        (
            f"https://tfhub.dev/tensorflow/{SMALL_BERT}/2",
            f"https://tfhub.dev/tensorflow/{SMALL_BERT}/2",
        ),
        ("experts/bert/pubmed", "experts/bert/pubmed"),
        (
            "https://www.kaggle.com/models/tensorflow/bert/tensorFlow2/bert-en-uncased-l-4-h-128-a-2/1",
            SMALL_BERT,
        ),
        ("tensorflow/bert/tensorFlow2/bert-en-uncased-l-4-h-128-a-2", SMALL_BERT),
    ],
)
def test_an_encoder_of_tf_hub_is_a_model_by_any_spelling(name, expected):
    card = find_model(name).card
    assert card.name == expected
    assert find_model(card.name).card == card  # a saved classifier finds its model like this


def test_a_folder_is_a_model_wherever_one_stands(folder, monkeypatch):
    absolute = find_model(str(folder)).card.name
    monkeypatch.chdir(folder.parent)
    assert find_model(folder.name).card.name == absolute == str(folder.resolve())


@pytest.mark.parametrize(
    "name, message",
    [
        ("small_bert/bert_en_uncased_L-4_H-128_A2", f"did you mean '{SMALL_BERT}'"),
        ("experts/bert/pubmet", "did you mean 'experts/bert/pubmed'.*'hub list'"),
        ("https://tfhub.dev/tensorflow/bert_en_uncased_preprocess/3", "no model is called"),
        ("https://tfhub.dev/google/universal-sentence-encoder/4", "no model is called"),
        ("no/such/folder", "or give a folder with a BERT's weights"),
    ],
)
def test_a_name_of_nothing(name, message):
    with pytest.raises(UnknownNameError, match=message):
        find_model(name)


def test_a_folder_without_a_bert(tmp_path):
    with pytest.raises(HubError, match=f"{tmp_path} holds no BERT: expected config.json or"):
        create_classifier(str(tmp_path), LABELS, [])


# Modules built from a fine-tuned encoder.


@pytest.mark.slow  # tests/cli/test_hub_build.py builds modules
def test_a_runs_encoder_becomes_modules_that_answer_alike(cased_folder, news, own_cache, tmp_path):
    folder = cased_folder
    recipe = Recipe(epochs=1, batch_size=32, learning_rate=1e-2)
    config = ExperimentConfig(str(folder), SMALL, recipe)
    run = run_experiment(config, news, tmp_path / "run").run
    classifier = load_classifier(run.model, options={"encoder": "module"})
    with pytest.raises(OptionError, match="leave out --cased"):
        build_modules(run.path, tmp_path / "modules", do_lower_case=True)
    build_modules(run.path, tmp_path / "modules")
    features = classifier.text(tf.constant(TEXTS))
    first = [VOCABULARY[i] for i in features["input_word_ids"][0]][:5]
    assert first == ["[CLS]", "The", "Cat", "sat", ","]  # capitals are kept
    preprocess = load_hub_layer(str(tmp_path / "modules" / "preprocess"))
    width = features["input_word_ids"].shape[1]
    for name, value in preprocess(tf.constant(TEXTS)).items():
        np.testing.assert_array_equal(value[:, :width], features[name], err_msg=name)
        assert not value[:, width:].numpy().any()
    encoder = load_hub_layer(str(tmp_path / "modules" / "encoder"))
    expected, published = classifier.encoder(features), build(folder).encoder(features)
    for name, value in encoder(features).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-5, err_msg=name)
    # The training changed the encoder.
    change = np.abs(expected["pooled_output"] - published["pooled_output"]).max()
    assert change > 1e-3


@pytest.mark.slow  # tests/bert/test_reopening.py takes weights
def test_an_encoder_trained_in_mixed_precision_has_weights_to_take(folder):
    """Its activations are rounded, but its weights are not."""
    classifier = build(folder, encoder="reopened", precision="mixed_bfloat16")
    found = checkpoint_of_module(classifier.encoder, classifier.text.handle).tensors
    expected = load_file(folder / "model.safetensors")
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


# Encoders with another architecture run as modules.


@pytest.fixture(scope="module")
def albert(tmp_path_factory):
    """A TF Hub cache with a tiny ALBERT and its SentencePiece under albert_en_base's handles."""
    scratch, cache = tmp_path_factory.mktemp("albert"), tmp_path_factory.mktemp("tfhub_cache")
    texts = [text.lower() for text in load_dataset("news_sample").train.texts]
    (scratch / "texts.txt").write_text("\n".join(texts))
    sentencepiece.SentencePieceTrainer.train(
        input=str(scratch / "texts.txt"),
        model_prefix=str(scratch / "pieces"),
        vocab_size=500,
        control_symbols="[CLS],[SEP],[MASK]",
        pad_id=0,
        unk_id=1,
        bos_id=-1,
        eos_id=-1,
        minloglevel=2,
    )
    handles = {
        name: cache / hashlib.sha1(f"https://tfhub.dev/tensorflow/{name}".encode()).hexdigest()
        for name in ("albert_en_preprocess/3", "albert_en_base/2")
    }
    export_tfhub_lib.export_preprocessing(
        str(handles["albert_en_preprocess/3"]),
        sp_model_file=str(scratch / "pieces.model"),
        do_lower_case=True,
        tokenize_with_offsets=False,
        default_seq_length=32,
    )
    encoder = networks.AlbertEncoder(
        vocab_size=500,
        embedding_width=8,
        hidden_size=16,
        num_layers=2,
        num_attention_heads=2,
        max_sequence_length=64,
        type_vocab_size=2,
        intermediate_size=32,
        dict_outputs=True,
    )
    inputs = {tensor.name: tensor for tensor in encoder.inputs}
    outputs = encoder(dict(inputs))
    outputs["default"] = outputs["pooled_output"]
    module = keras.Model(inputs, outputs)
    module.save(str(handles["albert_en_base/2"]), include_optimizer=False, save_format="tf")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TFHUB_CACHE_DIR", str(cache))
        yield scratch / "pieces.model"


@pytest.mark.slow  # it builds the modules of an ALBERT
def test_texts_that_an_albert_cannot_read(albert):
    entry = find_model("albert_en_base")
    text = entry.build_text(entry.with_options(SMALL))
    assert notes_on_reading(entry, text, ["the team won the game"] * 3) == []
    (note,) = notes_on_reading(entry, text, ["今日は株式市場が上がった"] * 3)
    assert note.startswith(
        "the vocabulary of albert_en_base lacks 100% of the characters in these texts (が, 今, "
    )


@pytest.mark.slow  # a BERT goes through its module above
def test_an_albert_trains_and_predicts_through_its_module(albert, news, tmp_path):
    classifier = create_classifier("albert_en_base", LABELS, [], options=SMALL)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(albert))
    text = "Oil prices rose again"
    ids = classifier.text(tf.constant([text]))["input_word_ids"].numpy()[0]
    special = [pieces.piece_to_id(one) for one in ("[CLS]", "[SEP]")]
    expected = [special[0], *pieces.encode(text.lower()), special[1]]
    assert [i for i in ids if i] == expected
    before = snapshot(classifier)
    recipe = Recipe(epochs=2, batch_size=32, learning_rate=1e-2)
    train(classifier, news, recipe, tmp_path / "log")
    moved = {name for name, value in snapshot(classifier).items() if np.any(value != before[name])}
    assert moved == set(before)
    classifier.save(tmp_path / "model")
    loaded = load_classifier(tmp_path / "model")
    expected = predict_logits(classifier, news.test.texts)
    np.testing.assert_allclose(predict_logits(loaded, news.test.texts), expected, atol=1e-6)


# The second tutorial's third model: bert-base-uncased from a Hugging Face folder.

BERT_BASE = {
    "architectures": ["BertForMaskedLM"],
    "attention_probs_dropout_prob": 0.1,
    "gradient_checkpointing": False,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 768,
    "initializer_range": 0.02,
    "intermediate_size": 3072,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "model_type": "bert",
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "use_cache": True,
    "vocab_size": 30522,
}


def bert_base_tensors():
    """Returns random weights in float16, which halves the bytes to write, hash and read."""
    shapes = {
        "embeddings.word_embeddings.weight": (30522, 768),
        "embeddings.position_embeddings.weight": (512, 768),
        "embeddings.token_type_embeddings.weight": (2, 768),
    }
    dense = {"embeddings.LayerNorm": (768,), "pooler.dense": (768, 768)}
    for layer in range(12):
        prefix = f"encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            dense[f"{prefix}.attention.{part}"] = (768, 768)
        dense[f"{prefix}.attention.output.LayerNorm"] = (768,)
        dense[f"{prefix}.intermediate.dense"] = (3072, 768)
        dense[f"{prefix}.output.dense"] = (768, 3072)
        dense[f"{prefix}.output.LayerNorm"] = (768,)
    for name, shape in dense.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    rng = np.random.default_rng(0)
    return {
        f"bert.{name}": (0.02 * rng.standard_normal(shape, np.float32)).astype(np.float16)
        for name, shape in shapes.items()
    }


TENSORFLOW_IS_GREAT = "Tensorflow is a great framework for NLP"
ITS_IDS = [101, 23435, 12314, 2003, 1037, 2307, 7705, 2005, 17953, 2361, 102]


def test_bert_base_has_the_size_of_the_second_seeds_model(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(BERT_BASE))
    config = read_config(tmp_path)
    head = 4 * config.hidden_size + 4
    assert (config.parameters + head, head) == (109_485_316, 3_076)


def test_bert_bases_word_pieces(bert_base_vocabulary):
    """MiniLM has bert-base's vocabulary, and gives them."""
    assert_ids(HubVectorizer(str(bert_base_vocabulary.parents[1]), 32))


@pytest.mark.slow  # 109 million parameters are written, built, hashed and read
def test_bert_base_is_the_second_seeds_model(bert_base_vocabulary, own_cache, tmp_path):
    folder = tmp_path / "bert-base-uncased"
    folder.mkdir()
    shutil.copy(bert_base_vocabulary, folder / "vocab.txt")
    (folder / "config.json").write_text(json.dumps(BERT_BASE))
    save_file(bert_base_tensors(), folder / "model.safetensors")
    classifier = create_classifier(str(folder), LABELS, [])
    assert count(classifier.network.weights) == 109_485_316
    assert count(classifier.network.trainable_weights) == 109_485_316
    classifier.train_encoder(False)
    assert count(classifier.network.trainable_weights) == 3_076
    assert_ids(classifier.text)


def assert_ids(vectorizer):
    ids = vectorizer(tf.constant([TENSORFLOW_IS_GREAT]))["input_word_ids"].numpy()[0]
    assert ids[: len(ITS_IDS)].tolist() == ITS_IDS and not ids[len(ITS_IDS) :].any()


def count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights if weight.dtype.is_floating)
