"""Every published format gives the same BERT, and anything else is refused."""

import json
import pickle
import shutil
import struct

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
from safetensors.numpy import load_file, save_file

from kerasnlp_lab.bert import read_checkpoint
from kerasnlp_lab.bert.build import build_in_a_process
from kerasnlp_lab.bert.encoder import bert_encoder, set_tensors
from kerasnlp_lab.errors import HubError
from kerasnlp_lab.hub import minilm_modules
from tests.bert import checkpoints
from tests.bert.bert_reference import bert_outputs, gelu, gelu_tanh
from tests.bert.checkpoints import Intruder, change_config, change_tensors
from tests.tiny_bert import TINY_VOCABULARY

IDS = np.array([[2, 5, 7, 9, 3], [2, 11, 3, 0, 0]])
MASK = (IDS > 0).astype(int)
TYPES = np.array([[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]])
POOLER = {"pooler.dense.weight": np.eye(16), "pooler.dense.bias": np.zeros(16)}
NO_TYPES = {"embeddings.token_type_embeddings.weight": np.zeros((2, 16))}

# For each format: its writer, its tensors that differ from the tiny checkpoint's, and its GELU.
FORMS = {
    "plain": (shutil.copytree, {}, gelu),
    "masked lm": (checkpoints.as_masked_lm, {}, gelu),
    "distilbert": (checkpoints.as_distilbert, NO_TYPES | POOLER, gelu),
    "bare distilbert": (checkpoints.as_distilbert_without_a_head, NO_TYPES | POOLER, gelu),
    "no pooler": (checkpoints.without_pooler, POOLER, gelu),
    "tokenizer.json": (checkpoints.with_tokenizer_json, {}, gelu),
    "release": (checkpoints.as_release, {}, gelu_tanh),
}


@pytest.fixture
def checkpoint(tiny_checkpoint, tmp_path):
    """A copy of the tiny checkpoint that a test can damage."""
    return shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint")


def batch(types=TYPES):
    values = {"input_word_ids": IDS, "input_mask": MASK, "input_type_ids": types}
    return {name: tf.constant(value, tf.int32) for name, value in values.items()}


def plain_form(tiny_checkpoint, target, changes):
    """Returns the tiny checkpoint with some tensors changed, for the NumPy BERT."""
    shutil.copytree(tiny_checkpoint, target)
    new = {name: value.astype(np.float32) for name, value in changes.items()}
    change_tensors(target, lambda tensors: tensors.update(new))
    return target


def assert_equal_outputs(outputs, checkpoint, activation):
    layers, pooled = bert_outputs(checkpoint, IDS, MASK, activation)
    real = MASK > 0
    assert len(outputs["encoder_outputs"]) == len(layers)
    for found, expected in zip(outputs["encoder_outputs"], layers, strict=True):
        np.testing.assert_allclose(found.numpy()[real], expected[real], atol=1e-4)
    np.testing.assert_allclose(
        outputs["sequence_output"].numpy()[real], layers[-1][real], atol=1e-4
    )
    np.testing.assert_allclose(outputs["pooled_output"], pooled, atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_bert(form, tiny_checkpoint, tmp_path):
    write, changes, activation = FORMS[form]
    write(tiny_checkpoint, tmp_path / "form")
    read = read_checkpoint(tmp_path / "form")
    reference = plain_form(tiny_checkpoint, tmp_path / "reference", changes)
    expected = load_file(reference / "model.safetensors")
    assert set(read.tensors) == set(expected)
    for name, value in read.tensors.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)
        assert value.dtype == np.float32
    assert read.vocabulary == tuple(TINY_VOCABULARY)
    assert (read.do_lower_case, read.strip_accents) == (True, True)
    config = json.loads((tiny_checkpoint / "config.json").read_text())
    for name in set(config) - {"model_type", "hidden_act"}:
        assert getattr(read.config, name) == config[name]
    encoder = bert_encoder(read.config)
    set_tensors(encoder, read.tensors)
    assert_equal_outputs(encoder(batch(0 * TYPES)), reference, activation)
    if NO_TYPES.items() <= changes.items():
        assert_equal_outputs(encoder(batch(TYPES)), reference, activation)


def test_half_precision_is_read_as_float32(tiny_checkpoint, tmp_path):
    checkpoints.in_half_precision(tiny_checkpoint, tmp_path / "half")
    published = load_file(tmp_path / "half" / "model.safetensors")
    for name, value in read_checkpoint(tmp_path / "half").tensors.items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, published[name])


def test_bfloat16_is_read_exactly_or_refused_with_the_reason(checkpoint):
    """A bfloat16 value is the upper half of a float32 value."""
    tensors = load_file(checkpoint / "model.safetensors")
    header, data = {}, b""
    for name, value in tensors.items():
        upper = (np.ascontiguousarray(value).view(np.uint32) >> 16).astype(np.uint16).tobytes()
        place = [len(data), len(data) + len(upper)]
        header[name] = {"dtype": "BF16", "shape": value.shape, "data_offsets": place}
        data += upper
    text = json.dumps(header).encode()
    path = checkpoint / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    try:
        read = read_checkpoint(checkpoint).tensors
    except HubError as error:
        assert "model.safetensors" in str(error) and "BF16" in str(error).upper(), error
        return
    for name, value in tensors.items():
        upper = np.ascontiguousarray(value).view(np.uint32) & 0xFFFF0000
        np.testing.assert_array_equal(read[name], upper.view(np.float32))


def test_lines_may_end_as_on_windows(checkpoint):
    (checkpoint / "vocab.txt").write_bytes("\r\n".join([*TINY_VOCABULARY, ""]).encode())
    assert read_checkpoint(checkpoint).vocabulary == tuple(TINY_VOCABULARY)


def test_fewer_word_pieces_than_rows_are_well(checkpoint):
    """Publishers often pad the embedding table to a multiple of 64 rows."""
    (checkpoint / "vocab.txt").write_text("\n".join(TINY_VOCABULARY[:-1]) + "\n")
    read = read_checkpoint(checkpoint)
    assert len(read.vocabulary) + 1 == read.config.vocab_size == len(TINY_VOCABULARY)


# Casing, from the files that take precedence to the others.


@pytest.mark.parametrize(
    "said, expected",
    [
        ({"do_lower_case": True}, (True, True)),
        ({"do_lower_case": False}, (False, False)),
        ({"do_lower_case": True, "strip_accents": None}, (True, True)),
        ({"do_lower_case": True, "strip_accents": False}, (True, False)),
        ({"do_lower_case": False, "strip_accents": True}, (False, True)),
        ({"model_max_length": 512}, (True, True)),  # no casing here, so the vocabulary decides
    ],
)
def test_casing_of_tokenizer_config(checkpoint, said, expected):
    (checkpoint / "tokenizer_config.json").write_text(json.dumps(said))
    read = read_checkpoint(checkpoint)
    assert (read.do_lower_case, read.strip_accents) == expected


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("strip", [True, False, None])
def test_casing_of_tokenizer_json(tiny_checkpoint, tmp_path, lower, strip):
    folder = tmp_path / "form"
    checkpoints.with_tokenizer_json(tiny_checkpoint, folder, lowercase=lower, strip_accents=strip)
    read = read_checkpoint(folder)
    assert (read.do_lower_case, read.strip_accents) == (lower, lower if strip is None else strip)


def test_casing_is_guessed_from_the_vocabulary(checkpoint):
    pieces = ["Cat" if piece == "cat" else piece for piece in TINY_VOCABULARY]
    (checkpoint / "vocab.txt").write_text("\n".join(pieces) + "\n")
    read = read_checkpoint(checkpoint)
    assert (read.do_lower_case, read.strip_accents) == (False, False)


def test_the_vocabulary_of_bert_base_uncased_is_seen_to_be_uncased(checkpoint):
    words = hub.resolve(minilm_modules().preprocess) + "/assets/vocab.txt"
    shutil.copy(words, checkpoint / "vocab.txt")
    change_config(checkpoint, vocab_size=30522)
    words = np.zeros((30522, 16), np.float32)
    change_tensors(checkpoint, lambda t: t.update({"embeddings.word_embeddings.weight": words}))
    assert read_checkpoint(checkpoint).do_lower_case


def test_casing_is_what_the_caller_says(checkpoint):
    (checkpoint / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
    read = read_checkpoint(checkpoint, do_lower_case=False, strip_accents=True)
    assert (read.do_lower_case, read.strip_accents) == (False, True)


# Refusals.


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"model_type": "roberta"}, "another architecture cannot be put into a BERT"),
        ({"model_type": "albert"}, "expected model_type 'bert' or 'distilbert' .* got 'albert'"),
        ({"position_embedding_type": "relative_key_query"}, "'relative_key_query' .* 'absolute'"),
        ({"is_decoder": True}, "is_decoder: only an encoder"),
        ({"add_cross_attention": True}, "add_cross_attention: only an encoder"),
        ({"hidden_act": "silu"}, "hidden_act 'silu' is not supported"),
        ({"num_hidden_layers": 4}, "lack the tensor encoder.layer.2"),
        ({"num_attention_heads": 3}, "hidden_size 16 is no multiple of num_attention_heads 3"),
        ({"hidden_size": "16"}, "hidden_size must be 1 or more, got '16'"),
        ({"num_hidden_layers": 2.0}, "num_hidden_layers must be 1 or more, got 2.0"),
        ({"num_attention_heads": 0}, "num_attention_heads must be 1 or more, got 0"),
        ({"vocab_size": -1}, "vocab_size must be 1 or more, got -1"),
        ({"max_position_embeddings": [64]}, "max_position_embeddings must be 1 or more"),
        ({"hidden_dropout_prob": "0.1"}, "hidden_dropout_prob"),
        ({"attention_probs_dropout_prob": 1.5}, "attention_probs_dropout_prob"),
    ],
    ids=str,
)
def test_a_config_that_is_no_berts(checkpoint, change, reason):
    change_config(checkpoint, **change)
    with pytest.raises(HubError, match=reason):
        read_checkpoint(checkpoint)


def test_layers_that_the_config_knows_nothing_of(checkpoint):
    def add_two(tensors):
        for name, value in list(tensors.items()):
            if "layer.1." in name:
                for more in ("layer.2.", "layer.3."):
                    tensors[name.replace("layer.1.", more)] = value.copy()

    change_tensors(checkpoint, add_two)
    with pytest.raises(HubError, match="more than the 2 layers of config.json: they do not belong"):
        read_checkpoint(checkpoint)


def test_two_berts_in_one_file(checkpoint):
    def add_another(tensors):
        tensors.update({f"other.{name}": value.copy() for name, value in tensors.items()})

    change_tensors(checkpoint, add_another)
    with pytest.raises(HubError, match="found 2: these are not a BERT's weights"):
        read_checkpoint(checkpoint)


def test_weights_of_something_else(checkpoint):
    save_file({"conv.weight": np.ones(3, np.float32)}, checkpoint / "model.safetensors")
    with pytest.raises(HubError, match="found 0: these are not a BERT's weights"):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers(checkpoint, value):
    name = "encoder.layer.1.output.dense.weight"
    change_tensors(checkpoint, lambda tensors: tensors[name].__setitem__((3, 4), value))
    with pytest.raises(HubError, match=f"{name} holds a value that is not a number"):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize(
    "pieces, reason",
    [
        ([*TINY_VOCABULARY, "more"], "has 30 word pieces, config.json says vocab_size 29"),
        ([*TINY_VOCABULARY[:-1], "cat"], "has 'cat' twice"),
        (["[PAD]", "[UNK]", *TINY_VOCABULARY[4:]], r"lacks \[CLS\], \[SEP\]"),
    ],
)
def test_a_vocabulary_that_does_not_fit(checkpoint, pieces, reason):
    (checkpoint / "vocab.txt").write_text("\n".join(pieces) + "\n")
    with pytest.raises(HubError, match=reason):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize(
    "model, reason",
    [
        ({"type": "BPE", "vocab": {"a": 0}, "merges": []}, "holds a BPE tokenizer"),
        ({"type": "Unigram", "vocab": [["a", -1.0]]}, "holds a Unigram tokenizer"),
        ({"type": "WordPiece", "vocab": {"a": 0, "b": 2}}, "ids of the vocabulary have gaps"),
        ({"type": "WordPiece", "vocab": {"a": 0}, "continuing_subword_prefix": "@@"}, "'##'"),
        ({"type": "WordPiece", "vocab": {"a": "zero", "b": 1}}, "tokenizer.json"),
        (None, "tokenizer.json"),
    ],
)
def test_a_tokenizer_that_is_no_berts(checkpoint, model, reason):
    (checkpoint / "vocab.txt").unlink()
    (checkpoint / "tokenizer.json").write_text(json.dumps({"model": model}))
    with pytest.raises(HubError, match=reason):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize(
    "said, reason",
    [
        ({"tokenize_chinese_chars": False}, "tokenize_chinese_chars false is not supported"),
        ({"do_lower_case": "no"}, "do_lower_case"),  # a non-empty string counts as true in Python
    ],
)
def test_a_tokenizer_config_that_cannot_be_followed(checkpoint, said, reason):
    (checkpoint / "tokenizer_config.json").write_text(json.dumps(said))
    with pytest.raises(HubError, match=reason):
        read_checkpoint(checkpoint)


def test_a_tokenizer_json_that_cannot_be_followed(tiny_checkpoint, tmp_path):
    folder = tmp_path / "form"
    checkpoints.with_tokenizer_json(tiny_checkpoint, folder, handle_chinese_chars=False)
    with pytest.raises(HubError, match="handle_chinese_chars False"):
        read_checkpoint(folder)


def test_a_pickle_is_never_read(checkpoint, tmp_path):
    """A pickle is refused as pytorch_model.bin and under any other name."""
    mark = tmp_path / "was here"
    attack = pickle.dumps(Intruder(mark))
    pickle.loads(attack).close()  # the attack works when it is unpickled
    mark.unlink()
    (checkpoint / "model.safetensors").rename(tmp_path / "kept")
    (checkpoint / "pytorch_model.bin").write_bytes(attack)
    with pytest.raises(HubError, match="pytorch_model.bin is a pickle, which could run code and"):
        read_checkpoint(checkpoint)
    (checkpoint / "model.safetensors").write_bytes(attack)
    with pytest.raises(HubError, match="cannot read .*model.safetensors"):
        read_checkpoint(checkpoint)
    (tmp_path / "kept").rename(checkpoint / "model.safetensors")
    read_checkpoint(checkpoint)  # the pickle is in the same folder
    assert not mark.exists()


def test_code_in_a_checkpoint_is_not_run(checkpoint, tmp_path):
    """transformers would run such code with trust_remote_code."""
    mark = tmp_path / "was here"
    for name in ("modeling_bert.py", "configuration_bert.py", "__init__.py"):
        (checkpoint / name).write_text(f"open({str(mark)!r}, 'w')\n")
    change_config(checkpoint, auto_map={"AutoModel": "modeling_bert.BertModel"})
    read_checkpoint(checkpoint)
    assert not mark.exists()


def test_weights_in_several_files(checkpoint):
    (checkpoint / "model.safetensors").rename(checkpoint / "model-00001-of-00002.safetensors")
    (checkpoint / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(HubError, match="weights in several files are not supported, save them as"):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_file_cut_short(tiny_checkpoint, tmp_path, name, kept):
    folder = tmp_path / "form"
    checkpoints.with_tokenizer_json(tiny_checkpoint, folder)
    cut(folder / name, kept)
    with pytest.raises(HubError, match=f"cannot read .*{name}"):
        read_checkpoint(folder)


@pytest.mark.parametrize("kept", [0, 0.4])
@pytest.mark.parametrize(
    "name", ["bert_config.json", "bert_model.ckpt.index", "bert_model.ckpt.data-00000-of-00001"]
)
def test_a_release_cut_short(tiny_checkpoint, tmp_path, name, kept):
    folder = tmp_path / "form"
    checkpoints.as_release(tiny_checkpoint, folder)
    cut(folder / name, kept)
    with pytest.raises(HubError, match=f"cannot read .*{name.split('.')[0]}"):
        read_checkpoint(folder)


def cut(path, kept):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])


def test_a_release_with_a_flipped_bit(tiny_checkpoint, tmp_path):
    folder = tmp_path / "form"
    checkpoints.as_release(tiny_checkpoint, folder)
    path = folder / "bert_model.ckpt.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    # Only the encoder's own tensors are read, so optimizer slots in the file do no harm.
    words = np.ascontiguousarray(
        load_file(tiny_checkpoint / "model.safetensors")["embeddings.word_embeddings.weight"]
    )
    content[content.index(words.tobytes()) + 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(HubError, match="cannot read .*bert_model.ckpt"):
        read_checkpoint(folder)


@pytest.mark.parametrize(
    "missing",
    [
        "bert_config.json",
        "bert_model.ckpt.index",
        "bert_model.ckpt.data-00000-of-00001",
        "vocab.txt",
    ],
)
def test_a_release_with_a_missing_file(tiny_checkpoint, tmp_path, missing):
    folder = tmp_path / "form"
    checkpoints.as_release(tiny_checkpoint, folder)
    (folder / missing).unlink()
    with pytest.raises(HubError, match="config.json|bert_model.ckpt|vocab.txt"):
        read_checkpoint(folder)


def test_a_vocabulary_that_is_no_text(checkpoint):
    (checkpoint / "vocab.txt").write_bytes(b"[PAD]\n\xff\xfe\n")
    with pytest.raises(HubError, match="cannot read the vocabulary"):
        read_checkpoint(checkpoint)


def test_an_empty_folder(tmp_path):
    with pytest.raises(HubError, match="config.json"):
        read_checkpoint(tmp_path)


def test_quantized_weights_are_refused(checkpoint):
    name = "encoder.layer.0.intermediate.dense.weight"
    change_tensors(checkpoint, lambda t: t.update({name: (t[name] * 100).astype(np.int8)}))
    with pytest.raises(HubError, match=f"{name} is int8: quantized weights are not supported"):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize(
    "part, content, reason",
    [
        ("normalizer", {"type": "NFKC"}, "normalizer has type 'NFKC'"),
        ("pre_tokenizer", {"type": "Whitespace"}, "pre_tokenizer has type 'Whitespace'"),
        ("added_tokens", [{"id": 99, "content": "[URL]"}], "adds the token '\\[URL\\]'"),
    ],
)
def test_a_tokenizer_json_beside_the_vocabulary_is_heeded(checkpoint, part, content, reason):
    (checkpoint / "tokenizer.json").write_text(json.dumps({part: content}))
    with pytest.raises(HubError, match=reason):
        read_checkpoint(checkpoint)


@pytest.mark.slow  # it builds modules
def test_code_in_the_folder_that_one_stands_in_is_not_run(checkpoint, tmp_path, monkeypatch):
    """By default Python searches for modules in the current folder first."""
    for name in ("dataclasses", "tensorflow", "kerasnlp_lab"):
        (checkpoint / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(checkpoint)
    build_in_a_process(".", tmp_path / "built")
    assert (tmp_path / "built" / "encoder" / "saved_model.pb").is_file()
    assert not (tmp_path / "ran").exists()
