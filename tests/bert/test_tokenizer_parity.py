"""Word pieces equal those of Hugging Face's tokenizers library, on real texts and hard ones.

hard_texts.py lists the exceptions. If a new version agrees with the library on one, a test fails,
and its line should be removed.
"""

import csv
import functools
import unicodedata
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_text
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from kerasnlp_lab.bert import HubVectorizer
from kerasnlp_lab.bert.preprocessing import export_preprocessing, normalize
from kerasnlp_lab.data import load_dataset
from kerasnlp_lab.hub import minilm_modules
from tests.bert.hard_texts import BUILT_HERE, HARD_TEXTS, TENSORFLOW_TEXT

CASINGS = ["uncased", "cased"]
SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
UNKNOWN, CLS, SEP = "[UNK]", "[CLS]", "[SEP]"


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8")


def as_text(text):
    return as_bytes(text).decode("utf-8", errors="replace")


class Library:
    """The library's BERT tokenizer."""

    def __init__(self, vocab_file, *, lower_case, strip_accents=None):
        model = models.WordPiece.from_file(
            str(vocab_file), unk_token=UNKNOWN, max_input_chars_per_word=100
        )
        self.tokenizer = Tokenizer(model)
        self.tokenizer.normalizer = normalizers.BertNormalizer(
            lowercase=lower_case, strip_accents=strip_accents
        )
        self.tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        ends = [(token, self.tokenizer.token_to_id(token)) for token in (CLS, SEP)]
        self._cls, self._sep = (index for _, index in ends)
        self.tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{CLS} $A {SEP}", special_tokens=ends
        )

    def ids(self, texts, max_length=128):
        self.tokenizer.enable_truncation(max_length)
        return [row.ids for row in self.tokenizer.encode_batch([as_text(text) for text in texts])]

    def ids_of_words(self, lines, max_length=128):
        """Returns the ids of given words, without the library's own splitting."""
        pieces = [
            [piece.id for word in line.split(" ") for piece in self.tokenizer.model.tokenize(word)]
            for line in lines
        ]
        return [[self._cls, *row[: max_length - 2], self._sep] for row in pieces]

    def words(self, text):
        normal = self.tokenizer.normalizer.normalize_str(as_text(text))
        return [word for word, _ in self.tokenizer.pre_tokenizer.pre_tokenize_str(normal)]


class Module:
    """A preprocessing module on disk."""

    def __init__(self, preprocess):
        self._vectorizer = functools.cache(lambda size: HubVectorizer(str(preprocess), size))

    def ids(self, texts, max_length=128):
        """Returns ids without padding."""
        ids = []
        for start in range(0, len(texts), 2048):
            batch = [as_bytes(text) for text in texts[start : start + 2048]]
            features = self._vectorizer(max_length)(tf.constant(batch))
            rows, mask = features["input_word_ids"].numpy(), features["input_mask"].numpy()
            assert not rows[mask == 0].any()
            ids += [row[real > 0].tolist() for row, real in zip(rows, mask, strict=True)]
        return ids


class TensorFlowText:
    """tensorflow_text's BertTokenizer, with the arguments of modules on TF Hub."""

    def __init__(self, vocab_file, library, *, lower_case):
        self._tokenizer = tensorflow_text.BertTokenizer(str(vocab_file), lower_case=lower_case)
        self._library = library

    def ids(self, texts, max_length=128):
        clean = tf.constant([as_text(text).encode("utf-8") for text in texts])
        pieces = self._tokenizer.tokenize(clean).merge_dims(1, 2)[:, : max_length - 2]
        cls, sep = self._library.ids([""])[0]
        return [[cls, *row, sep] for row in pieces.to_list()]


def differing(found, expected):
    return [row for row, ids in enumerate(zip(found, expected, strict=True)) if ids[0] != ids[1]]


@pytest.fixture(scope="module")
def vocab_files(tmp_path_factory):
    """MiniLM's uncased vocabulary, and a cased one with every character of the hard texts."""
    texts = load_dataset("news_sample").train.texts
    seen = sorted({char for text in [*texts, *HARD_TEXTS] for char in as_text(text)})
    chars = [c for c in seen if c.isprintable() and not c.isspace() and c != "\ufffd"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=2 * len(chars) + 1500,
        initial_alphabet=chars,
        limit_alphabet=len(chars),
        # Otherwise the trainer numbers these differently in each run, and breaks ties by number.
        special_tokens=[*SPECIAL_TOKENS, *(f"##{char}" for char in chars)],
        show_progress=False,
    )
    trained = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    trained.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trained.train_from_iterator(texts, trainer)
    vocabulary = sorted(trained.get_vocab(), key=trained.token_to_id)
    assert {f"##{char}" for char in chars} | {*chars} < {*vocabulary}
    cased = tmp_path_factory.mktemp("cased") / "vocab.txt"
    cased.write_bytes(("\n".join(vocabulary) + "\n").encode("utf-8"))
    return {"uncased": Path(minilm_modules().encoder, "assets", "vocab.txt"), "cased": cased}


@pytest.fixture(scope="module")
def uncased_module():
    """MiniLM's preprocessing module, which was built here."""
    return Module(minilm_modules().preprocess)


def export(vocab_file, folder, *, as_on_tfhub):
    """Builds the preprocessing module of a cased vocabulary, without an encoder."""
    export_preprocessing(
        folder,
        vocab_file,
        do_lower_case=False,
        strip_accents=False,
        max_length=128,
        as_on_tfhub=as_on_tfhub,
    )
    return Module(folder)


@pytest.fixture(scope="module")
def cased_module(vocab_files, tmp_path_factory):
    return export(vocab_files["cased"], tmp_path_factory.mktemp("cased"), as_on_tfhub=False)


@pytest.fixture(scope="module", params=CASINGS)
def casing(request):
    return request.param


@pytest.fixture(scope="module")
def library(casing, vocab_files):
    return Library(vocab_files[casing], lower_case=casing == "uncased")


@pytest.fixture(scope="module")
def module(casing, request):
    return request.getfixturevalue(f"{casing}_module")


@pytest.fixture(scope="module")
def tensorflow_text_tokenizer(casing, vocab_files, library):
    return TensorFlowText(vocab_files[casing], library, lower_case=casing == "uncased")


@pytest.fixture(scope="module")
def ag_news_texts(ag_news_csv):
    with (ag_news_csv / "test.csv").open(encoding="utf-8", newline="") as file:
        texts = [f"{title} {description}" for _, title, description in csv.reader(file)]
    assert len(texts) == 7600
    return texts


@pytest.fixture(scope="module")
def sms_texts(test_data):
    path = test_data / "sms_spam" / "spamdata_v2.csv"
    if not path.is_file():
        pytest.skip(f"no {path.name} in {path.parent}")
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert len(texts) == 5572
    return texts


@pytest.mark.slow  # test_sms and test_hard_texts are quick
def test_ag_news(module, tensorflow_text_tokenizer, library, ag_news_texts):
    expected = library.ids(ag_news_texts)
    assert sum(len(ids) == 128 for ids in expected) > 50, "few are cut: this proves little"
    assert differing(module.ids(ag_news_texts), expected) == []
    assert differing(tensorflow_text_tokenizer.ids(ag_news_texts[::4]), expected[::4]) == []


def test_ag_news_cut_short(module, library, ag_news_texts):
    texts = ag_news_texts[::8]
    expected = library.ids(texts, max_length=16)
    assert sum(len(ids) == 16 for ids in expected) > 900
    assert differing(module.ids(texts, max_length=16), expected) == []


def test_sms(module, library, sms_texts):
    assert differing(module.ids(sms_texts), library.ids(sms_texts)) == []


def test_sms_by_tensorflow_text(casing, tensorflow_text_tokenizer, library, sms_texts):
    """Four messages hold a compatibility character, which the uncased tokenizer decomposes."""
    folds = {"¼": "1\u20444", "ª": "a", "´": " "} if casing == "uncased" else {}
    folded = [text.translate(str.maketrans(folds)) for text in sms_texts]
    found = tensorflow_text_tokenizer.ids(sms_texts)
    rows = differing(folded, sms_texts)
    assert len(rows) == (4 if casing == "uncased" else 0)
    assert differing(found, library.ids(sms_texts)) == rows
    assert differing(found, library.ids(folded)) == []


def check(tokenizer, library, exceptions, max_length):
    """Compares a tokenizer with the library, except for a table of known differences."""
    texts = [text for text in HARD_TEXTS if text not in exceptions]
    rows = differing(tokenizer.ids(texts, max_length), library.ids(texts, max_length))
    assert [texts[row] for row in rows] == []

    texts = list(exceptions)
    found, expected = tokenizer.ids(texts), library.ids(texts)
    alike = [text for row, text in enumerate(texts) if found[row] == expected[row]]
    assert alike == [], "equal now: take them out of the table"
    rows = differing(found, library.ids_of_words(exceptions.values()))
    assert [texts[row] for row in rows] == []


@pytest.mark.parametrize("max_length", [16, 128])
def test_hard_texts(module, library, casing, max_length):
    check(module, library, BUILT_HERE[casing], max_length)


@pytest.mark.parametrize("max_length", [16, 128])
def test_hard_texts_by_tensorflow_text(tensorflow_text_tokenizer, library, casing, max_length):
    check(tensorflow_text_tokenizer, library, TENSORFLOW_TEXT[casing], max_length)


@pytest.mark.slow
def test_a_module_as_on_tfhub_is_tensorflow_text(vocab_files, tmp_path):
    library = Library(vocab_files["cased"], lower_case=False)
    expected = TensorFlowText(vocab_files["cased"], library, lower_case=False).ids(HARD_TEXTS)
    found = export(vocab_files["cased"], tmp_path, as_on_tfhub=True).ids(HARD_TEXTS)
    assert [HARD_TEXTS[row] for row in differing(found, expected)] == []


def test_a_batch_of_hard_texts_is_its_texts(module):
    """A text does not affect its neighbours."""
    alone = [module.ids([text])[0] for text in HARD_TEXTS[::6]]
    assert module.ids(HARD_TEXTS)[::6] == alone


@pytest.mark.parametrize("lower_case", [True, False])
@pytest.mark.parametrize("strip_accents", [True, False])
def test_words_in_every_casing(vocab_files, lower_case, strip_accents):
    """This includes lower case with accents (German, Chinese models) and cased without them."""
    library = Library(vocab_files["cased"], lower_case=lower_case, strip_accents=strip_accents)
    exceptions = BUILT_HERE["uncased" if strip_accents else "cased"]
    texts = [text for text in HARD_TEXTS if text not in exceptions]
    texts_in = tf.constant([as_text(text).encode("utf-8") for text in texts])
    normal = normalize(texts_in, do_lower_case=lower_case, strip_accents=strip_accents)
    found = [text.decode("utf-8").split() for text in normal.numpy()]
    rows = differing(found, [library.words(text) for text in texts])
    assert [texts[row] for row in rows] == []


def test_every_punctuation_mark_and_symbol(module, library):
    """All of them are in Unicode 3.2."""
    categories = (unicodedata.category, unicodedata.ucd_3_2_0.category)
    chars = [
        char
        for char in map(chr, range(0x20, 0x20000))
        if all(category(char)[0] in "PS" for category in categories)
    ]
    assert len(chars) > 2500
    texts = [f"a{char}b {char}" for char in chars]
    rows = differing(module.ids(texts), library.ids(texts))
    assert [chars[row] for row in rows] == ["\u166d"]  # hard_texts.py lists it


def test_special_tokens_in_a_text_are_text(module, library):
    """The library does the same, unless it gets a list of special tokens."""
    texts = ["[CLS] the [MASK] [SEP]"]
    mask = library.tokenizer.token_to_id("[MASK]")
    assert module.ids(texts) == library.ids(texts)
    assert mask not in module.ids(texts)[0]
    told = Tokenizer.from_str(library.tokenizer.to_str())
    told.add_special_tokens(SPECIAL_TOKENS)
    assert mask in told.encode(texts[0]).ids
