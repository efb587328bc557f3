"""The fast tokenizer gives the module's own ids, and other modules run without it.

The vocabulary has every safe character, before and after normalization. So a difference in
normalization or in splitting cannot hide behind [UNK].
"""

import functools
import random
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
import tensorflow as tf
from official.nlp.modeling import layers
from official.nlp.tools import export_tfhub_lib

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert import HubVectorizer
from kerasnlp_lab.bert.fast_tokenizer import CASED, UNCASED
from kerasnlp_lab.bert.preprocessing import export_preprocessing
from kerasnlp_lab.bert.tokenizer_probe import find_fast_tokenizer
from kerasnlp_lab.text import TextVectorizer

WORDS = "the cat sat cafe strasse naive Oil Moscow zu ##ing ##s ##ss ##afe Élan".split()
CHARACTERS = [chr(code) for code in range(0x2200)]
LENGTHS = (99, 100, 101, 399, 400, 401)
MAX_LENGTH = 512
MIXED = [
    *("The cat sat.", "", "日本語 text", "café £5 naïve", b"bad \xff bytes", "\x00", "x" * 101),
    *(
        "é" * 60,
        "the … cat",
        "Straße ½ ǆ",
        " \t\r\n",
        "the " * 600,
        b"\xed\xa0\x80",
        "no\u00a0break",
    ),
    *("a" * 50 + "é", "ﬁne", "cat\u0301", "Москва — Αθήνα", "[CLS] the [UNK]", "the\u2028cat"),
]


def write_vocabulary(path):
    """Writes all assigned characters below 2200, and their decompositions."""
    chars = {char for char in CHARACTERS if unicodedata.category(char)[0] in "LNPS"}
    for char in [*chars]:
        chars |= {*unicodedata.normalize("NFKD", char).casefold(), *char.lower(), *char.upper()}
    chars = sorted(char for char in chars if not char.isspace())
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *chars]
    pieces += [f"##{char}" for char in chars if f"##{char}" not in WORDS]
    path.write_bytes("\n".join([*pieces, ""]).encode("utf-8"))
    return path


@pytest.fixture(scope="module")
def vocab_file(tmp_path_factory):
    return write_vocabulary(tmp_path_factory.mktemp("vocabulary") / "vocab.txt")


@pytest.fixture(scope="module")
def build(vocab_file, tmp_path_factory):
    def built(**casing):
        folder = tmp_path_factory.mktemp("module")
        export_preprocessing(folder, vocab_file, max_length=MAX_LENGTH, **casing)
        return HubVectorizer(str(folder), MAX_LENGTH)

    return built


@pytest.fixture(scope="module")
def module_of(build):
    @functools.cache
    def once(casing, as_on_tfhub):
        lower = casing == "uncased"
        return build(do_lower_case=lower, strip_accents=lower, as_on_tfhub=as_on_tfhub)

    return once


@pytest.fixture(
    scope="module",
    params=[
        ("uncased", "as on tfhub"),
        # test_tokenizer_parity.py reads texts by modules that were built here.
        pytest.param(("cased", "built here"), marks=pytest.mark.slow),
        pytest.param(("cased", "as on tfhub"), marks=pytest.mark.slow),
        pytest.param(("uncased", "built here"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def casing(kind):
    return kind[0]


@pytest.fixture(scope="module")
def vectorizer(kind, module_of):
    return module_of(kind[0], kind[1] == "as on tfhub")


@pytest.fixture(scope="module")
def fast(vectorizer, vocab_file, casing):
    found = find_fast_tokenizer(vocab_file, vectorizer.tokenize_clean)
    assert (found.uncased, found.extended) == (casing == "uncased", True)
    return found


def by_module(vectorizer, texts):
    tokens = TextVectorizer.split(vectorizer, tf.constant(texts))
    return vectorizer.truncate(tokens).to_list()


def differing(vectorizer, texts):
    found = vectorizer.tokenize(tf.constant(texts)).to_list()
    pairs = zip(texts, found, by_module(vectorizer, texts), strict=True)
    return [text for text, ids, expected in pairs if ids != expected]


def safe(fast, texts):
    flags = fast.is_safe(tf.constant([text.encode("utf-8") for text in texts])).numpy()
    return [text for text, flag in zip(texts, flags, strict=True) if flag]


def safe_characters(fast):
    return safe(fast, CHARACTERS)


def test_how_many_characters_are_safe(fast, casing):
    chars = safe_characters(fast)
    assert len(chars) > 800
    assert {*"aZ09 \t\n\r~éÀŁđžΩλЖя€£©—“”’•"} < {*chars}
    assert not {*"\x00\x07\x0b\x0c\x7f\x85\xad\u0301\u200b\u2028\u3000\ufffd猫\U0001f408"} & {
        *chars
    }
    assert ("ß" in chars, "…" in chars, "\xa0" in chars) == (
        (False, False, True) if casing == "uncased" else (True, True, False)
    )


def test_every_safe_character(vectorizer, fast):
    texts = []
    for char in safe_characters(fast):
        texts += [char, char * 2, f"a{char}b", f"{char}cat the{char}", f"the {char} cat"]
        texts += [f"A{char}{char}B", f"é{char}é", f"“{char}—", f"{char.swapcase()}{char}"]
    texts = safe(fast, texts)
    assert len(texts) > 7000
    assert differing(vectorizer, texts) == []


def test_every_safe_character_is_read_by_itself(fast):
    """Neighbours do not change its ids. So facts about single characters hold for every text."""
    chars = [char for char in safe_characters(fast) if not char.isspace()]
    alone = dict(zip(chars, fast.tokenize_safe(tf.constant(chars)).to_list(), strict=True))
    assert all(len(ids) == 1 for ids in alone.values())
    texts = [f"{one} {other}" for one, other in zip(chars, chars[::-1], strict=True)]
    for text, ids in zip(texts, fast.tokenize_safe(tf.constant(texts)).to_list(), strict=True):
        assert ids == alone[text[0]] + alone[text[-1]]


def test_which_safe_characters_part_words(fast, casing):
    """The alphabet then determines the length of a word."""
    alphabet = UNCASED if casing == "uncased" else CASED
    ending = fast.tokenize_ascii(tf.constant(["ab"])).to_list()[0][-1]  # ##b
    chars = [char for char in safe_characters(fast) if not char.isascii()]
    ids = fast.tokenize_safe(tf.constant([f"a{char}b" for char in chars])).to_list()
    inside = tf.strings.regex_full_match(tf.constant(chars), f"[{alphabet.words}]").numpy()
    assert [row[-1] == ending for row in ids] == inside.tolist()
    assert 0 < sum(~inside) < 30


def test_random_texts(vectorizer, fast):
    chance = random.Random(6)
    chars = safe_characters(fast)
    ascii_chars = [char for char in chars if char.isascii()]
    texts = []
    for _ in range(4000):
        some = chance.choice([chars, ascii_chars, chance.sample(chars, 5), [*"aé -'", *WORDS]])
        texts.append("".join(chance.choices(some, k=chance.randrange(80))))
    assert len(safe(fast, texts)) > 3000
    assert differing(vectorizer, texts) == []


@pytest.mark.parametrize("length", LENGTHS)
def test_long_words(vectorizer, fast, length):
    words = ["x" * length, "the" + "s" * (length - 3), "X" * (length - 1) + "9"]
    texts = [text for word in words for text in (word, f"the {word}, {word} cat", f"é {word} é")]
    assert differing(vectorizer, texts) == []
    unknown = fast.tokenize_ascii(tf.constant(words[:1])).to_list() == [[1]]
    assert unknown == (length > 100)


@pytest.mark.parametrize("length", [33, 34, 50, 51, 99, 100, 101])
def test_long_words_of_other_characters_than_ascii(vectorizer, length):
    """TF Hub's modules have a limit of 100 bytes; modules built here, of 100 characters."""
    words = [char * length for char in "éдλ€"] + ["é" + "x" * (length - 1)]
    assert differing(vectorizer, [*words, *(f"the {word} — {word}!" for word in words)]) == []


def test_safe_and_other_texts_in_a_batch_keep_their_order(vectorizer):
    """Each text gets the same ids in a batch as alone."""
    alone = [by_module(vectorizer, [text])[0] for text in MIXED]
    assert sum(len(ids) == MAX_LENGTH - 2 for ids in alone) == 1  # one is cut
    for order in (MIXED, MIXED[::-1], MIXED[:2], MIXED[2:3], MIXED[3:4], MIXED[3:5], [MIXED[1]]):
        found = vectorizer.tokenize(tf.constant(order)).to_list()
        assert found == [alone[MIXED.index(text)] for text in order]


def test_an_empty_batch(vectorizer):
    tokens = vectorizer.tokenize(tf.constant([], tf.string))
    assert (tokens.dtype, tokens.row_splits.numpy().tolist()) == (tf.int32, [0])


@pytest.mark.slow  # tests/export/test_saved_model.py has one
def test_a_graph_on_another_machine(module_of, tmp_path):
    """The graph is saved, moved and opened with only TensorFlow and tensorflow_text."""
    vectorizer = module_of("cased", False)
    texts = [text.encode("utf-8") if isinstance(text, str) else text for text in MIXED]
    serving = tf.Module()
    serving.vectorizer = vectorizer
    serving.ids = tf.function(
        lambda texts: vectorizer(texts)["input_word_ids"],
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(serving, str(tmp_path / "saved"))
    (tmp_path / "saved").rename(tmp_path / "moved")
    code = (
        "import sys\nimport numpy as np\nimport tensorflow as tf\nimport tensorflow_text\n"
        f"ids = (saved := tf.saved_model.load('moved')).ids\ntexts = {texts!r}\n"
        "ops = {n.op for f in ids.concrete_functions[0].graph.as_graph_def().library.function"
        " for n in f.node_def}\n"
        "assert 'FastWordpieceTokenizeWithOffsets' in ops, ops\n"
        "alone = [ids(tf.constant([text])).numpy()[0] for text in texts]\n"
        "np.savez('found.npz', ids(tf.constant(texts)).numpy(), *alone)\n"
        "assert not [name for name in sys.modules if name.startswith('kerasnlp_lab')]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    together, *alone = np.load(tmp_path / "found.npz").values()
    expected = by_module(vectorizer, texts)
    for ids, row, one in zip(expected, together, alone, strict=True):
        assert row[row != 0].tolist()[1:-1] == one[one != 0].tolist()[1:-1] == ids


@pytest.mark.slow  # test_tokenizer_parity.py has words in every casing
@pytest.mark.parametrize("lower", [True, False])
def test_accents_that_go_with_neither_casing(build, vocab_file, lower):
    """Lower case with accents (German models), and cased without accents: only ASCII is safe."""
    vectorizer = build(do_lower_case=lower, strip_accents=not lower, as_on_tfhub=False)
    fast = find_fast_tokenizer(vocab_file, vectorizer.tokenize_clean)
    assert (fast.uncased, fast.extended) == (lower, False)
    assert safe(fast, ["The cat", "é"]) == ["The cat"]
    assert differing(vectorizer, [*MIXED, "Élan", "ÉLAN cafés", "CAFE, café"]) == []


def test_another_order_of_the_vocabulary_is_found_out(vectorizer, vocab_file, tmp_path):
    assert find_fast_tokenizer(vocab_file, vectorizer.tokenize_clean) is not None
    lines = vocab_file.read_text(encoding="utf-8").split("\n")
    for one, other in (("cat", "sat"), ("##ing", "##s"), ("7", "8"), ("the", "zu")):
        swapped = {one: other, other: one}
        changed = tmp_path / "vocab.txt"
        changed.write_text("\n".join(swapped.get(line, line) for line in lines), encoding="utf-8")
        assert find_fast_tokenizer(changed, vectorizer.tokenize_clean) is None


def test_a_vocabulary_that_it_cannot_do_with(vectorizer, tmp_path):
    assert find_fast_tokenizer(tmp_path / "vocab.txt", vectorizer.tokenize_clean) is None
    for content in ("the\ncat\n", "[UNK]\nthe\nthe\n", ""):
        (tmp_path / "vocab.txt").write_text(content)
        assert find_fast_tokenizer(tmp_path / "vocab.txt", vectorizer.tokenize_clean) is None


def test_a_vocabulary_with_other_line_ends(vectorizer, vocab_file, tmp_path):
    """TensorFlow's tables drop carriage returns, and the last line may lack a line end."""
    (tmp_path / "vocab.txt").write_bytes(vocab_file.read_bytes().replace(b"\n", b"\r\n")[:-2])
    found = find_fast_tokenizer(tmp_path / "vocab.txt", vectorizer.tokenize_clean)
    assert found.extended


@pytest.mark.slow
def test_a_module_that_takes_longer_words_is_used_alone(vocab_file, tmp_path):
    tokenizer = layers.BertTokenizer(
        vocab_file=str(vocab_file), tokenizer_kwargs={"lower_case": True, "max_bytes_per_word": 200}
    )
    save_module(tokenizer, tmp_path / "module")
    vectorizer = HubVectorizer(str(tmp_path / "module"), MAX_LENGTH)
    assert find_fast_tokenizer(vocab_file, vectorizer.tokenize_clean) is None
    assert len(vectorizer.tokenize(tf.constant(["x" * 150]))[0]) == 150
    assert differing(vectorizer, [*MIXED, "x" * 150, "x" * 201]) == []


def save_module(tokenize, folder):
    """Saves a preprocessing module with any tokenizer, as the Model Garden does."""
    sentences = keras.Input((), dtype=tf.string)
    tokens = tokenize(sentences)
    pack = layers.BertPackInputs(128, special_tokens_dict=tokenize.get_special_tokens_dict())
    module = keras.Model(sentences, pack(tokens))
    module.tokenize = keras.Model(sentences, tokens)
    module.bert_pack_inputs = export_tfhub_lib.BertPackInputsSavedModelWrapper(pack)
    module.save(str(folder), include_optimizer=False, save_format="tf")
