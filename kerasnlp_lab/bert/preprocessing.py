"""`export_preprocessing`: a TF Hub preprocessing module from a vocabulary."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_text as text
from official.nlp.modeling import layers
from official.nlp.tools import export_tfhub_lib

from kerasnlp_lab._internals import BasicTokenizer
from kerasnlp_lab._keras import keras

__all__ = ["bert_tokenizer", "export_preprocessing", "normalize"]

DEFAULT_SEQ_LENGTH = 128
MAX_CHARS_PER_WORD = 100  # of Hugging Face's WordPiece; a longer word is [UNK]
_UNKNOWN_WORD = "\n"  # which no line of a vocabulary can hold

_REMOVED = r"[^\P{Cc}\t\n\r]|[\p{Cf}\p{Co}]|\x{FFFD}"
# Hugging Face's own ranges of ideographs, its 2B920 for Unicode's 2B820 included.
_IDEOGRAPHS = (
    r"\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2B73F}"
    r"\x{2B740}-\x{2B81F}\x{2B920}-\x{2CEAF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}"
)
_WORD_BY_ITSELF = rf"\p{{P}}|[$+<=>^`|~{_IDEOGRAPHS}]"


def export_preprocessing(
    target: Path,
    vocab_file: Path,
    *,
    do_lower_case: bool,
    strip_accents: bool,
    max_length: int,
    as_on_tfhub: bool,
) -> None:
    """Writes a SavedModel with TF Hub's preprocessing interface, for an encoder of `max_length`.

    With `as_on_tfhub` it splits texts by tensorflow_text's BertTokenizer, and else as Hugging
    Face's tokenizers do. They differ on the rare characters of tests/bert/hard_texts.py.

    Source: https://www.tensorflow.org/hub/common_saved_model_apis/text.
    """
    tokenize = bert_tokenizer(
        vocab_file,
        do_lower_case=do_lower_case,
        strip_accents=strip_accents,
        as_on_tfhub=as_on_tfhub,
    )
    # From here on as in the Model Garden's export_tfhub_lib.create_preprocessing.
    sentences = keras.Input((), dtype=tf.string, name="sentences")
    tokens = tokenize(sentences)
    special_tokens = tokenize.get_special_tokens_dict()
    pack = layers.BertPackInputs(
        seq_length=min(DEFAULT_SEQ_LENGTH, max_length), special_tokens_dict=special_tokens
    )
    module = keras.Model(sentences, pack(tokens))
    module.tokenize = keras.Model(sentences, tokens)
    module.tokenize.get_special_tokens_dict = tf.train.Checkpoint()
    module.tokenize.get_special_tokens_dict.__call__ = tf.function(
        tokenize.get_special_tokens_dict, input_signature=[]
    )
    module.bert_pack_inputs = export_tfhub_lib.BertPackInputsSavedModelWrapper(pack)
    module.save(str(target), include_optimizer=False, save_format="tf")


def bert_tokenizer(
    vocab_file: Path, *, do_lower_case: bool, strip_accents: bool, as_on_tfhub: bool = False
) -> keras.layers.Layer:
    """Returns the layer of such a module that splits texts.

    It takes strings of shape [batch], and gives ids, int32 [batch, (words), (pieces)].
    """
    kwargs: dict[str, Any] = {"lower_case": do_lower_case}
    if not as_on_tfhub or do_lower_case != strip_accents:
        splitter = functools.partial(_HuggingFaceSplitter, strip_accents=strip_accents)
        kwargs["basic_tokenizer_class"] = splitter
        kwargs["max_bytes_per_word"] = 4 * MAX_CHARS_PER_WORD
    return layers.BertTokenizer(vocab_file=str(vocab_file), tokenizer_kwargs=kwargs)


def normalize(texts: tf.Tensor, *, do_lower_case: bool, strip_accents: bool) -> tf.Tensor:
    """Puts spaces around the words of texts, as Hugging Face's BERT tokenizers see them.

    Takes UTF-8 strings of any shape, and returns strings of the same shape.

    Source: BertNormalizer and BertPreTokenizer,
    https://huggingface.co/docs/tokenizers/api/normalizers.
    """
    texts = tf.strings.regex_replace(texts, _REMOVED, "")
    if strip_accents:
        texts = tf.strings.regex_replace(text.normalize_utf8(texts, "NFD"), r"\p{Mn}", "")
    if do_lower_case:
        texts = _lower(texts)
    texts = tf.strings.regex_replace(texts, r"[^\P{Z} ]", " ")
    return tf.strings.regex_replace(texts, f"({_WORD_BY_ITSELF})", r" \1 ")


def _lower(texts: tf.Tensor) -> tf.Tensor:
    """Lower-cases each character by itself.

    tf.strings.lower depends on the environment's language, which turns I into a dotless i in
    Turkey, and on a sigma's neighbours. So these characters are replaced before.
    """
    texts = tf.strings.lower(texts)  # ASCII only
    for capital, small in zip("ΣİÌÍĨĮ", ["σ", "i\u0307", "ì", "í", "ĩ", "į"], strict=True):
        texts = tf.strings.regex_replace(texts, capital, small)
    return tf.strings.lower(texts, encoding="utf-8")


class _HuggingFaceSplitter(BasicTokenizer):
    """Splits texts into words, in place of text.BertTokenizer's BasicTokenizer."""

    def __init__(self, lower_case: bool = False, *args: Any, strip_accents: bool, **kwargs: Any):
        super().__init__(lower_case, *args, **kwargs)
        self._normalize = functools.partial(
            normalize, do_lower_case=lower_case, strip_accents=strip_accents
        )

    def tokenize(self, text_input: tf.Tensor) -> tf.RaggedTensor:
        words = tf.strings.split(self._normalize(text_input))
        lengths = tf.strings.length(words.values, unit="UTF8_CHAR")
        short = tf.where(lengths > MAX_CHARS_PER_WORD, _UNKNOWN_WORD, words.values)
        return words.with_values(short)
