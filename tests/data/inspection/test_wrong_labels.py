"""Likely wrong labels follow the paper's rule, find planted ones, and skip test rows."""

import numpy as np
import pytest

from kerasnlp_lab.data import load_dataset, load_table
from kerasnlp_lab.data.inspection import inspect_table
from kerasnlp_lab.data.inspection.wrong_labels import find_wrong_labels, suspects
from kerasnlp_lab.data.normal_form import group_texts
from tests.data.inspection.tables import inspect_rows, lines_of, write_table


def test_the_rule_by_hand():
    probabilities = np.array(
        [
            [0.9, 0.1, 0.0],
            [0.7, 0.2, 0.1],
            [0.1, 0.8, 0.1],  # labelled 0: class 1 has 0.8, above its average
            [0.1, 0.8, 0.1],
            [0.5, 0.3, 0.2],  # labelled 1: class 0 leads, but below the average of class 0
            [0.0, 0.3, 0.7],
            [0.6, 0.0, 0.4],  # labelled 2: class 0 is just at its average
        ]
    )
    labels = np.array([0, 0, 0, 1, 1, 2, 2])
    # averages: class 0 0.567, class 1 0.55, class 2 0.55
    rows, others = suspects(probabilities, labels)
    assert rows.tolist() == [2, 6]  # margins 0.7 and 0.2
    assert others.tolist() == [1, 0]


UNSPACED = {
    "Chinese": (
        ("体育", "财经"),
        [
            ("球队 球员 教练 门将", "赢得 输掉 参加", "决赛 冠军杯 联赛"),
            ("银行 股市 基金 央行", "上调 下调 公布", "利率 指数 财报"),
        ],
    ),
    "Thai": (
        ("กีฬา", "เศรษฐกิจ"),
        [
            ("นักเตะ ทีมชาติ ผู้จัดการทีม โค้ช", "ชนะ แพ้ ลงแข่ง", "ฟุตบอลโลก รอบชิง ลีก"),
            ("ธนาคาร ตลาดหุ้น กองทุน รัฐบาล", "ขึ้น ลด ประกาศ", "ดอกเบี้ย ดัชนี ภาษี"),
        ],
    ),
}


@pytest.fixture(scope="module")
def news():
    """The built-in news with 40 wrong labels, and the rows that have them."""
    data = load_dataset("news_sample")
    texts = [*data.train.texts, *data.validation.texts, *data.test.texts]
    labels = np.concatenate([data.train.labels, data.validation.labels, data.test.labels])
    rng = np.random.default_rng(0)
    planted = rng.choice(len(texts), 40, replace=False)
    wrong = labels.copy()
    wrong[planted] = (labels[planted] + rng.integers(1, 4, 40)) % 4
    return data.label_names, texts, labels, wrong, set(planted.tolist())


@pytest.fixture(scope="module")
def found(news):
    names, texts, _, wrong, _ = news
    return find_wrong_labels(texts, wrong, np.arange(len(texts)), names, seed=0)


def test_planted_wrong_labels_are_found(news, found):
    _, _, right, _, planted = news
    hits = planted & set(found.rows)
    # such a classifier gets 85% of these 672 short texts right
    assert len(hits) >= 0.4 * len(planted)
    assert len(hits) >= 0.65 * len(found.rows)
    named = dict(zip(found.rows, found.labels, strict=True))
    assert np.mean([named[row] == right[row] for row in hits]) > 0.9
    assert list(found.margins) == sorted(found.margins, reverse=True)


def test_most_of_those_planted_in_the_sms_file(test_data):
    """It finds two thirds of 150 flipped labels, and nine of ten findings are flipped labels."""
    data = load_table(test_data / "sms_spam" / "spamdata_v2.csv", seed=2018)
    texts, labels = list(data.train.texts), data.train.labels.copy()
    planted = np.random.default_rng(0).choice(len(texts), 150, replace=False)
    labels[planted] = 1 - labels[planted]
    found = find_wrong_labels(texts, labels, group_texts(texts), data.label_names, seed=0)
    assert found == find_wrong_labels(texts, labels, group_texts(texts), data.label_names, seed=0)
    hits = set(planted.tolist()) & set(found.rows)
    assert len(hits) >= 0.6 * len(planted)
    assert len(hits) >= 0.85 * len(found.rows)


@pytest.mark.parametrize("language", ["Chinese", "Thai"])
def test_planted_wrong_labels_in_a_script_without_spaces(language):
    """Words between spaces would be whole sentences, of which no two are the same."""
    names, rows = UNSPACED[language]
    pairs = [
        (label, f"{one}{verb}{rest}")
        for label, (ones, verbs, rests) in enumerate(rows)
        for one in ones.split()
        for verb in verbs.split()
        for rest in rests.split()
    ]
    texts = [text for _, text in pairs]
    labels = np.array([label for label, _ in pairs])
    planted = [3, len(texts) - 3]
    labels[planted] = 1 - labels[planted]
    found = find_wrong_labels(texts, labels, np.arange(len(texts)), names, seed=0)
    assert sorted(found.rows) == planted


def test_a_wrong_label_does_not_confirm_itself(news, found):
    """Three copies of a wrong row are found as well as one."""
    names, texts, _, wrong, planted = news
    row = next(row for row in found.rows if row in planted)
    more = [*texts, texts[row], texts[row]]
    labels = np.append(wrong, [wrong[row]] * 2)
    groups = np.append(np.arange(len(texts)), [row, row])
    found = find_wrong_labels(more, labels, groups, names, seed=0)
    assert {row, len(texts), len(texts) + 1} <= set(found.rows)


def test_rows_to_test_on_are_not_judged(news, tmp_path):
    names, texts, _, wrong, planted = news
    rows = [(text, names[label]) for text, label in zip(texts, wrong, strict=True)]
    found = inspect_table(write_table(tmp_path / "t.csv", rows), seed=1)
    judged = set(found.data.train.lines) | set(found.data.validation.lines)
    lines = lines_of(found, "likely_wrong_label")
    assert set(lines) <= judged
    assert set(lines) & {row + 2 for row in planted}
    assert set(found.data.test.lines) & {row + 2 for row in planted}
    assert found.counts["likely_wrong_label"] == len(lines) <= 50


def test_only_the_likeliest_are_listed(news, tmp_path):
    names, texts, right, _, _ = news
    shuffled = np.random.default_rng(0).permutation(right)
    shuffled[::2] = right[::2]
    rows = [(text, names[label]) for text, label in zip(texts, shuffled, strict=True)]
    found = inspect_table(write_table(tmp_path / "t.csv", rows))
    count = found.counts["likely_wrong_label"]
    assert count > len(lines_of(found, "likely_wrong_label")) == 50
    assert f"of {count} likely wrong labels, 50 are listed" in found.notes


def test_a_class_of_few_texts_is_not_judged(tmp_path):
    rows = [(f"invoice number {n} is due", "rare") for n in "abcd"] * 2
    found = inspect_rows(tmp_path, rows)
    (note,) = found.notes
    assert note == "wrong labels were not looked for in classes of fewer than 5 texts: 'rare'"
    assert not [f for f in found.findings if f.kind == "likely_wrong_label" and f.label == "rare"]


def test_texts_that_share_a_label_too_few(tmp_path):
    """Copies of a text count as one text, so these seven rows cannot make five folds."""
    found = inspect_rows(tmp_path, [("always the same words", "rare")] * 7)
    assert "'rare'" in found.notes[0]


def test_texts_without_words(tmp_path):
    rows = [("!" * n, "loud") for n in range(1, 20)] + [("?" * n, "odd") for n in range(1, 20)]
    found = inspect_table(write_table(tmp_path / "t.csv", rows))
    assert found.notes == ("wrong labels were not looked for: the texts share no words",)
