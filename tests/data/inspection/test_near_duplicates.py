"""Near duplicates equal those of comparing every pair, in less time."""

import functools
import itertools
import random
import time

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import CountVectorizer

from kerasnlp_lab.data.inspection import inspect_table
from kerasnlp_lab.data.inspection.minhash import (
    _shingle_hashes,
    candidate_pairs,
    shingles,
    signatures,
)
from kerasnlp_lab.errors import OptionError
from tests.data.inspection.tables import inspect_rows, lines_of, of_kind, plain_rows, write_table

LETTERS = "abcdefghijklmnopqrstuvwxyz     "


@functools.cache
def parts(text):
    text = " ".join(text.casefold().split())
    return {text[i : i + 5] for i in range(max(1, len(text) - 4))}


def similarity(first, second):
    first, second = parts(first), parts(second)
    return len(first & second) / len(first | second)


def edited_texts(rng, families=40):
    """Returns random texts, each followed by copies with more and more changed characters."""
    for _ in range(families):
        text = "".join(rng.choice(LETTERS) for _ in range(rng.randrange(30, 600)))
        yield text
        for edits in (1, 2, 3, 6):
            letters = list(text)
            for place in rng.sample(range(len(letters)), edits):
                letters[place] = rng.choice(LETTERS)
            yield "".join(letters)


@pytest.fixture(scope="module")
def edited():
    """Texts, their signatures and the similarity of each pair."""
    texts = list(edited_texts(random.Random(0)))
    pairs = itertools.combinations(range(len(texts)), 2)
    return signatures(texts), {(a, b): similarity(texts[a], texts[b]) for a, b in pairs}


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.95])
def test_every_pair_above_the_threshold_is_a_candidate(threshold, edited):
    signed, similarities = edited
    found = {tuple(pair) for pair in candidate_pairs(signed, threshold).tolist()}
    assert all(first < second for first, second in found)
    near = {pair for pair, value in similarities.items() if value >= threshold}
    assert len(near) > 20
    assert len(near - found) <= len(near) // 100


def test_what_is_said_of_a_pair_is_its_similarity(tmp_path):
    near = "see you at the kitchen about the old lamp tomorrow then"
    found = inspect_rows(tmp_path, [(near, "ham")], near=0.8)
    first = plain_rows()[0][0]
    assert similarity(first, near) >= 0.8
    expected = f"{similarity(first, near):.2f} like {tmp_path / 't.csv'}:2"
    assert ("t.csv", 62, expected) in of_kind(found, "near_duplicate")


def test_groups_are_those_of_every_pair_compared(tmp_path):
    rows = [(text, "ham") for text in edited_texts(random.Random(1), 20)]
    found = inspect_rows(tmp_path, rows)
    lines: dict[str, int] = {}  # equal texts are not near duplicates
    for line, (text, _) in enumerate([*plain_rows(), *rows], start=2):
        lines.setdefault(" ".join(text.split()), line)
    texts = list(lines)
    near = np.zeros((len(texts), len(texts)), bool)
    for one, other in itertools.combinations(range(len(texts)), 2):
        near[one, other] = similarity(texts[one], texts[other]) >= 0.8
    groups = connected_components(near)[1]
    repeated = [lines[texts[i]] for i, group in enumerate(groups) if group in groups[:i]]
    assert lines_of(found, "near_duplicate") == repeated
    assert found.counts["near_duplicate"] == len(repeated) > 20


def test_short_texts_are_near_to_none(tmp_path):
    found = inspect_rows(tmp_path, [("ok", "ham"), ("OK!", "ham"), ("oh", "ham"), ("日本", "ham")])
    assert not [line for line in lines_of(found, "near_duplicate") if line > 61]


@pytest.mark.parametrize(
    "text, old, new",
    [
        ("今日は東京の株式市場が大きく値上がりしました。", "した。", "したよ。"),
        ("昨天上海证券交易所的股票价格大幅上涨", "上涨", "上升"),
        ("新型iPhoneの発売日は九月二十日になると発表された", "二十日", "三十日"),
        ("ตลาดหุ้นกรุงเทพวันนี้ปรับตัวขึ้นอย่างมาก", "มาก", "มากๆ"),
    ],
)
def test_a_word_more_or_less_in_scripts_without_spaces(tmp_path, text, old, new):
    near = text.replace(old, new)
    assert near != text
    found = inspect_rows(tmp_path, [(text, "ham"), (near, "ham"), (text[::-1], "ham")])
    assert lines_of(found, "near_duplicate") == [63]
    assert len(candidate_pairs(signatures([text, near]), 0.8)) == 1


@pytest.mark.parametrize("text", ["", "日", "日a", "a日", "日本", "ab", "日本のabcd", "abcdef日"])
def test_signatures_are_those_of_the_runs(text):
    """Two texts have the same hashes exactly if they have the same runs."""
    assert len(shingles(text)) == len(_shingle_hashes(text)) > 0
    assert shingles("日本のabcdef") == {"日本", "本の", "のa", "abcde", "bcdef"}


def test_near_in_two_splits(tmp_path):
    train = write_table(tmp_path / "train.csv", plain_rows())
    text = plain_rows()[0][0]
    test = write_table(
        tmp_path / "test.csv",
        [(f"{text} then", "ham"), (text, "ham"), ("nothing like it, far and wide", "ham")],
    )
    validation = write_table(tmp_path / "validation.csv", [(f"{text} x", "ham"), ("own", "spam")])
    found = inspect_table(train, validation=validation, test=test)
    assert [f[:2] for f in of_kind(found, "near_in_two_splits")] == [
        ("validation.csv", 2),
        ("test.csv", 2),
    ]
    assert all(f" in train at {train}:" in f[2] for f in of_kind(found, "near_in_two_splits"))
    assert [f[:2] for f in of_kind(found, "in_two_splits")] == [("test.csv", 3)]


@pytest.mark.slow
def test_the_sms_file_by_every_pair(sms):
    """scikit-learn counts the five-character strings that each pair shares, for comparison."""
    data = sms.data
    rows = [
        (int(line), number, " ".join(text.casefold().split()))
        for number, split in enumerate((data.train, data.validation, data.test))
        for line, text in zip(split.lines, split.texts, strict=True)
    ]
    rows.sort()
    first: dict[str, int] = {}
    for _line, number, text in rows:
        first[text] = min(first.get(text, 9), number)
    texts = list(first)
    counter = CountVectorizer(analyzer=lambda text: parts(text), binary=True, dtype=np.int32)
    counts = counter.fit_transform(texts)
    common = (counts @ counts.T).tocoo()
    sizes = np.asarray(counts.sum(axis=1)).ravel()
    near = common.data / (sizes[common.row] + sizes[common.col] - common.data) >= 0.8
    graph = common.copy()
    graph.data = near.astype(np.int32)
    graph = graph.tocsr()
    graph.eliminate_zeros()
    number = connected_components(graph)[0]
    assert sms.counts["near_duplicate"] == pytest.approx(len(texts) - number, abs=1)
    pairs = zip(common.row[near], common.col[near], strict=True)
    lowest = [first[text] for text in texts]
    torn = {texts[a] for a, b in pairs if lowest[a] > lowest[b]}
    expected = sum(text in torn and split == first[text] for _, split, text in rows)
    assert sms.counts["near_in_two_splits"] == pytest.approx(expected, abs=1)


def test_many_alike_take_time_in_proportion(tmp_path):
    """Texts of one template share all buckets. Ten times the rows take ten times the work."""

    def seconds(count):
        texts = [
            f"dear customer, your parcel waits: collect it with code {n:06}" for n in range(count)
        ]
        start = time.process_time()
        pairs = candidate_pairs(signatures(texts), 0.8)
        assert len(pairs) < 250 * count
        return time.process_time() - start

    seconds(100)
    assert seconds(5000) < 30 * max(seconds(500), 0.05)


def test_a_threshold_out_of_range(tmp_path):
    with pytest.raises(OptionError, match="near must be a similarity above 0 and up to 1, got 0"):
        inspect_rows(tmp_path, near=0)
