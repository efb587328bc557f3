"""Entities on the command line: train, evaluate, predict, a page, export."""

import json

import pytest

from tests.cli.command import run
from tests.cli.json_keys import assert_documented
from tests.cli.test_mistakes import assert_mistake

TEXT = "Ada Lovelace lived in London."


@pytest.fixture(scope="module")
def names_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "names"
    words = ("--task", "entities", "--dataset", "news_entities", "--model", "hash_embed_cnn")
    quick = ("--epochs", 4, "--option", "width=32", "--option", "buckets=2000")
    result = run("train", *words, *quick, "--output", folder, "--json")
    assert result.code == 0, result.err
    return folder, json.loads(result.out)


def test_train_and_evaluate(names_run):
    folder, document = names_run
    assert_documented(document, "train")
    assert_documented(document["test"], "evaluate of entities")
    result = run("evaluate", folder, "--dataset", "news_entities", "--json")
    assert result.code == 0, result.err
    again = json.loads(result.out)
    assert again["entity_f1"] == document["test"]["entity_f1"] > 0
    page = (folder / "report.html").read_text()
    assert "Missed entities" in page and "Confusion of types" in page
    assert (folder / "confusion.png").is_file() and (folder / "scores.png").is_file()
    header = (folder / "predictions.csv").read_text().splitlines()[0]
    assert header.replace('"', "") == "row,file,line,text,true,predicted,right"


def test_evaluate_annotation_files(names_run, tmp_path):
    folder, _ = names_run
    lines = [{"tokens": ["Ada", "won"], "ner_tags": ["B-person", "O"]}] * 3
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    result = run("evaluate", folder, "--data", path, "--joiner", "space")
    assert result.code == 0, result.err
    assert result.out.startswith("entity F1 ")
    assert_mistake(
        run("evaluate", folder, "--data", path, "--text-column", "x"), "--text-column belongs to"
    )
    other = tmp_path / "other.jsonl"
    other.write_text(path.read_text().replace("person", "human"))
    assert_mistake(run("evaluate", folder, "--data", other), "the model knows no entity 'human'")
    again = run("evaluate", folder, "--data", other, "--rename-type", "human=person")
    assert again.code == 0, again.err
    assert "entities of the type 'human' are read as 'person': 3" in again.err
    assert again.out == result.out
    assert_mistake(
        run("evaluate", folder, "--dataset", "news_entities", "--rename-type", "a=b"),
        "--rename-type must be left out unless --data has entities",
    )
    assert_mistake(run("evaluate", folder, "--dataset", "news_sample"), "needs entities")
    assert_mistake(
        run("evaluate", folder, "--dataset", "news_entities", "--fpr", 0.1), "--fpr is for class"
    )


def test_predict_a_page_and_an_export(names_run, tmp_path):
    folder, _ = names_run
    result = run("predict", folder, TEXT, "Oslo <b>", "--json", "--html", tmp_path / "page.html")
    assert result.code == 0, result.err
    answers = [json.loads(line) for line in result.out.splitlines()]
    found = [one for answer in answers for one in answer["entities"]]
    assert found and found[0].keys() == {"start", "end", "label", "text", "score"}
    for answer in answers:
        for one in answer["entities"]:
            assert answer["text"][one["start"] : one["end"]] == one["text"]
    page = (tmp_path / "page.html").read_text()
    assert "<mark" in page and "<b>" not in page
    exported = run("export", folder, "--to", tmp_path / "exported", "--json")
    assert exported.code == 0, exported.err
    assert_documented(json.loads(exported.out), "export")
    result = run("predict", tmp_path / "exported", TEXT, "Oslo <b>", "--json")
    again = [json.loads(line) for line in result.out.splitlines()]
    for answer, other in zip(answers, again, strict=True):
        for one, same in zip(answer["entities"], other["entities"], strict=True):
            assert one.pop("score") == pytest.approx(same.pop("score"), abs=1e-5)
        assert answer == other
    shown = run("predict", folder, TEXT).out
    assert shown.rstrip().endswith(TEXT)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--threshold", "f1"), "threshold must be left out for entities"),
        (("--positive-class", "person"), "positive_class must be left out for entities"),
        (("--label-smoothing", 0.1), "has no use for label_smoothing"),
        (("--class-weight", "balanced"), "has no use for class_weight"),
        (("--model", "transformer"), "use hash_embed_cnn or a BERT"),
        (
            ("--model", "tfidf_linear"),
            "task must be classification or multi_label for tfidf_linear",
        ),
        (("--dataset", "news_sample"), "say --task classification"),
    ],
)
def test_what_entities_have_no_use_for_is_refused(options, message, tmp_path):
    words = {"--model": "hash_embed_cnn", "--dataset": "news_entities", "--task": "entities"}
    words |= {"--output": tmp_path / "run", options[0]: options[1]}
    result = run("train", *(word for pair in words.items() for word in pair))
    assert_mistake(result, message)


def test_a_page_is_for_entities_alone(finished_run, tmp_path):
    result = run("predict", finished_run, TEXT, "--html", tmp_path / "page.html")
    assert_mistake(result, "--html is for entities, not classification")
