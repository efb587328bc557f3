"""A student learns a teacher's answers, resumes to the bit, and comes out as an ordinary run."""

import csv
import dataclasses
import io
import json
import re
import shutil

import numpy as np
import pytest
import rich.console

from kerasnlp_lab.data import load_shards, load_table, write_shards
from kerasnlp_lab.data.unlabelled_files import UnlabelledFiles
from kerasnlp_lab.errors import OptionError, RunError
from kerasnlp_lab.export import open_predictor
from kerasnlp_lab.lab import (
    ExperimentConfig,
    distillation,
    experiment,
    resume_experiment,
    run_experiment,
)
from kerasnlp_lab.lab.distillation import Distillation, Teaching, teacher_rows
from kerasnlp_lab.training import RunDirectory, feature_cache
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.zoo import Recipe, load_classifier, predict_logits
from tests.data.inspection.tables import plain_rows, write_table

TINY = {"max_length": 16, "vocab_size": 100, "embed_dim": 8, "ff_dim": 8}
QUICK = {"epochs": 2, "batch_size": 16, "min_steps_per_epoch": 4}
MORE = ("win a rare stamp now, attic offer: text prize", "see you in the attic about the stamp")


@pytest.fixture(scope="module", autouse=True)
def without_figures():
    """Draws no figures, which take most of the time and are tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "_write_figures", lambda *_: {})
        yield


def train_teacher(data, folder, **settings):
    run_experiment(ExperimentConfig("tfidf_linear", {"min_df": 1}, **settings), data, folder)
    return folder


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher")
    data = load_table(write_table(folder / "t.csv", plain_rows()))
    return train_teacher(data, folder / "run", threshold="0.4", positive_class="spam")


@pytest.fixture
def more(tmp_path):
    path = tmp_path / "more.txt"
    path.write_text("\n".join(MORE))
    return path


def teaching_of(teacher, *paths, **settings):
    files = UnlabelledFiles(paths=tuple(map(str, paths)))
    settings = Distillation(teacher=str(teacher), unlabelled=files, **settings)
    return Teaching(settings, teacher_rows(settings))


def run_student(teaching, folder, console=None, **settings):
    config = teaching.student("transformer", TINY, QUICK, **settings)
    return run_experiment(config, teaching.data, folder, teaching=teaching, console=console)


def silent():
    return rich.console.Console(file=io.StringIO(), soft_wrap=True)


def test_a_student_is_an_ordinary_run_that_names_its_teacher(teacher, more, tmp_path):
    found = run_student(teaching_of(teacher, more, temperature=2.0, hard=0.25), tmp_path / "run")
    run = RunDirectory.open(tmp_path / "run")
    config, metrics = run.read_json("config.json"), run.read_json("metrics.json")
    record = config["distillation"]
    assert record["teacher"] == str(teacher) and record["teacher_model"] == "tfidf_linear"
    assert list(record["unlabelled"]) == [str(more)] and record["unlabelled_texts"] == 2
    assert (record["temperature"], record["hard"]) == (2.0, 0.25)
    assert config["decision"] == {"threshold": "0.4", "positive_class": "spam"}
    assert found.dataset["train_rows"] == 42
    assert any("unlabelled texts used: 2 of 2" in note for note in metrics["notes"])
    classifier = load_classifier(run.model)
    assert classifier.task.name == "classification" and classifier.decision.threshold == 0.4
    assert "stamp" in classifier.text.vocabulary()  # a word of unlabelled texts alone
    answers = [one.label for one in open_predictor(tmp_path / "run").predict(MORE)]
    assert set(answers) <= {"ham", "spam"}


def test_a_stopped_student_resumes_to_the_bit(teacher, more, tmp_path, monkeypatch):
    save, saves = Checkpoints.save, []

    def copies_the_third(self, *arguments):
        save(self, *arguments)
        saves.append(arguments[0])
        if len(saves) == 3:
            shutil.copytree(tmp_path / "whole", tmp_path / "stopped")

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", copies_the_third)
        every_step = {"checkpoint_every": "1steps"}
        whole = run_student(teaching_of(teacher, more), tmp_path / "whole", **every_step)
    console = silent()
    resumed = resume_experiment(tmp_path / "stopped", console=console)
    assert resumed.training.final_sha256 == whole.training.final_sha256
    said = console.file.getvalue()
    assert "resuming the run" in said and "0 of 44 texts answered by tfidf_linear" in said


def stopped_by_ctrl_c(*_):
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def stopped(teacher, tmp_path_factory):
    """A run that was stopped right after it began, with its teacher and its texts beside it."""
    folder = tmp_path_factory.mktemp("stopped")
    shutil.copytree(teacher, folder / "teacher")
    (folder / "more.txt").write_text("\n".join(MORE))
    teaching = teaching_of(folder / "teacher", folder / "more.txt")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Teaching, "lesson", stopped_by_ctrl_c)
        run_student(teaching, folder / "run")
    return folder


@pytest.fixture
def copied(stopped, tmp_path):
    """The same, where its files can be changed."""
    folder = shutil.copytree(stopped, tmp_path / "copied")
    path = folder / "run" / "config.json"
    path.write_text(path.read_text().replace(str(stopped), str(folder)))
    return folder


def change_texts(folder):
    (folder / "more.txt").write_text("other texts")


def change_teacher(folder):
    path = folder / "teacher" / "model" / "classifier.json"
    content = json.loads(path.read_text())
    content["sha256"]["weights.safetensors"] = "0" * 64
    path.write_text(json.dumps(content))


def lose_teacher(folder):
    (folder / "teacher").rename(folder / "moved")


def lose_texts(folder):
    (folder / "more.txt").rename(folder / "moved.txt")


CHANGED = "than when the run was started; put"


@pytest.mark.parametrize(
    "change, message",
    [
        (change_texts, rf"copied/more\.txt holds other texts {CHANGED} them back"),
        (change_teacher, rf"the teacher in .*copied/teacher is another {CHANGED} it back"),
        (lose_teacher, "no run directory .*repeat the command .* kerasnlp-lab distil NEW_PLACE"),
        (lose_texts, r"more\.txt.*no such file.*repeat the command with their new places"),
    ],
    ids=["other texts", "other teacher", "no teacher", "no texts"],
)
def test_a_changed_teacher_is_refused_by_name(change, message, copied):
    change(copied)
    with pytest.raises(RunError, match=message):
        resume_experiment(copied / "run")


def test_a_moved_teacher_and_moved_texts_go_on(copied):
    lose_teacher(copied)
    lose_texts(copied)
    run_student(teaching_of(copied / "moved", copied / "moved.txt"), copied / "run")
    record = RunDirectory.open(copied / "run").read_json("config.json")["distillation"]
    assert record["teacher"] == str(copied / "moved")
    assert list(record["unlabelled"]) == [str(copied / "moved.txt")]


@pytest.mark.parametrize(
    "start, difference",
    [
        (lambda t, f, run: run_student(teaching_of(t, f, hard=0.1), run), "hard = 0.5, not 0.1"),
        (lambda t, f, run: run_student(teaching_of(t), run), r"unlabelled = \{.*more\.txt"),
        (
            lambda t, f, run: run_experiment(
                teaching_of(t).student("transformer", TINY, QUICK), teaching_of(t).data, run
            ),
            "with the teacher .*/teacher; name another",
        ),
    ],
    ids=["other share", "other texts", "no teacher"],
)
def test_another_distillation_does_not_go_on_in_the_same_run(start, difference, copied):
    with pytest.raises(RunError, match=difference):
        start(copied / "teacher", copied / "more.txt", copied / "run")


def test_a_lesson_has_the_teachers_logits_and_the_places_of_its_rows(teacher, more):
    teaching = teaching_of(teacher, more)
    lesson = teaching.lesson()
    texts = [*teaching.data.train.texts, *MORE]
    assert list(lesson.rows.texts) == texts
    expected = predict_logits(load_classifier(teacher / "model"), texts)
    np.testing.assert_allclose(lesson.logits, expected, atol=1e-5)
    assert lesson.labelled.tolist() == [True] * 42 + [False] * 2
    np.testing.assert_array_equal(lesson.rows.labels[:42], teaching.data.train.labels)
    np.testing.assert_array_equal(lesson.rows.labels[42:], expected[42:].argmax(axis=1))
    assert lesson.rows.where(0) == teaching.data.train.where(0)
    assert lesson.rows.where(43) == f"{more}, line 2"


def test_answers_are_cached_in_parts(teacher, tmp_path, monkeypatch):
    """A killed command asks only for the texts that it had not written yet."""
    path = tmp_path / "new.txt"
    path.write_text("\n".join(f"a new text number {number}" for number in range(10)))
    teaching, asked = teaching_of(teacher, path), []
    teaching_of(teacher).lesson()  # so that the labelled rows are cached

    def dies_at_last(classifier, texts, **settings):
        asked.extend(texts)
        if len(asked) == 10:
            raise KeyboardInterrupt
        return predict_logits(classifier, texts, **settings)

    monkeypatch.setattr(feature_cache, "SEGMENT_ROWS", 4)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(distillation, "predict_logits", dies_at_last)
        teaching.lesson()
    console = silent()
    lesson = teaching.lesson(console)
    assert "2 of 52 texts answered" in console.file.getvalue()
    expected = predict_logits(load_classifier(teacher / "model"), lesson.rows.texts)
    np.testing.assert_allclose(lesson.logits, expected, atol=1e-5)


@pytest.mark.parametrize("leaks, used", [("keep", 3), ("drop", 1)])
def test_texts_that_are_there_or_tested_on_are_found(leaks, used, teacher, tmp_path):
    data = teaching_of(teacher).data
    path = tmp_path / "texts.txt"
    known = [data.train.texts[0].upper(), data.validation.texts[0], f"  {data.test.texts[0]}"]
    path.write_text("\n".join([*known, "a new text", "A new  text"]))
    teaching = teaching_of(teacher, path, leaks=leaks)
    assert len(teaching.unlabelled.texts) == used and "a new text" in teaching.unlabelled.texts
    said = "\n".join(teaching.notes)
    assert f"unlabelled texts used: {used} of 5, from 1 file" in said
    assert "there once already: 2 unlabelled texts" in said
    what = "left out because" if leaks == "drop" else "kept although (--leaks drop leaves them out)"
    assert f"{what} they are validated or tested on: 2 unlabelled texts" in said


def test_labelled_rows_that_leak_are_dropped_too(tmp_path):
    rows = plain_rows()
    table = write_table(tmp_path / "train.csv", rows)
    tested = write_table(tmp_path / "test.csv", [rows[0], ("a new text", "spam")])
    teacher = train_teacher(load_table(table, test=tested), tmp_path / "run")
    settings = Distillation(teacher=str(teacher), leaks="drop")
    data = teacher_rows(settings)
    assert data.leaks_left_out.train + data.leaks_left_out.validation == 1
    found = run_student(Teaching(settings, data), tmp_path / "small")
    reading = found.dataset["reading"]
    assert reading["leaks_left_out"] == dataclasses.asdict(data.leaks_left_out)


def test_several_labels_a_text(tmp_path):
    sets = [("0", "1"), ("1",), ("0",), ()]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        rows = [(f"{' '.join(sets[n % 4])} or {n}", " ".join(sets[n % 4])) for n in range(60)]
        csv.writer(file).writerows([("text", "labels"), *rows])
    data = load_table(
        tmp_path / "t.csv", label_column="labels", annotation="label_sets", label_separator=" "
    )
    teacher = train_teacher(data, tmp_path / "run", task="multi_label")
    (tmp_path / "more.txt").write_text("a text of 0 and 1\nnothing of all")
    teaching = teaching_of(teacher, tmp_path / "more.txt")
    lesson = teaching.lesson()
    for ids, logits in zip(lesson.rows.label_sets[-2:], lesson.logits[-2:], strict=True):
        assert ids == tuple(np.flatnonzero(logits > 0))
    found = run_student(teaching, tmp_path / "small")
    assert found.evaluation.headline[0] == "macro_f1"


def test_shards_are_read_into_memory(tmp_path):
    table = load_table(write_table(tmp_path / "t.csv", plain_rows()))
    write_shards(table, tmp_path / "shards", shards=2)
    quick = ExperimentConfig("transformer", TINY, Recipe(epochs=1, batch_size=16))
    run_experiment(quick, load_shards(tmp_path / "shards"), tmp_path / "run")
    rows = teaching_of(tmp_path / "run").lesson().rows
    assert sorted(rows.texts) == sorted(table.train.texts)
    label_of = dict(zip(table.train.texts, table.train.labels, strict=True))
    assert [label_of[text] for text in rows.texts] == rows.labels.tolist()


@pytest.mark.slow
def test_a_bert_learns_from_cached_features(teacher, more, tiny_checkpoint, tmp_path):
    teaching = teaching_of(teacher, more)
    options = {"max_length": 16, "precision": "float32"}
    config = teaching.student(
        str(tiny_checkpoint), options, {"batch_size": 8, "epochs": 1, "frozen_epochs": 1}
    )
    console = silent()
    run = tmp_path / "run"
    found = run_experiment(config, teaching.data, run, teaching=teaching, console=console)
    assert [line["phase"] for line in found.training.history] == ["frozen", "fine-tune"]
    assert (
        "of 53 texts through the frozen encoder" in console.file.getvalue()
    )  # 42 + 2 + 9 to validate on


def test_a_teacher_of_another_task_or_without_rows_held_out_is_refused(teacher, tmp_path):
    content = json.loads((teacher / "config.json").read_text())
    for name in ("metrics.json", "model"):
        (tmp_path / name).symlink_to(teacher / name)
    (tmp_path / "config.json").write_text(json.dumps(content | {"task": "entities"}))
    data = teaching_of(teacher).data
    settings = Distillation(teacher=str(tmp_path))
    with pytest.raises(OptionError, match="the task entities has others; distil a run of"):
        Teaching(settings, data)
    whole = dataclasses.replace(data, validation=data.train)
    with pytest.raises(OptionError, match="train the teacher with --folds 0"):
        Teaching(Distillation(teacher=str(teacher)), whole)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"temperature": 0}, "temperature must be above 0, got 0"),
        ({"hard": -0.1}, "hard must be from 0 to 1, got -0.1"),
        ({"leaks": "loose"}, "leaks must be keep or drop, got 'loose'"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(OptionError, match=re.escape(message)):
        Distillation(teacher="run", **settings)


@pytest.fixture(scope="module")
def bert(tiny_checkpoint, tmp_path_factory):
    """A teacher that is a tiny BERT, with its head alone trained."""
    folder = tmp_path_factory.mktemp("bert")
    data = load_table(write_table(folder / "t.csv", plain_rows()))
    recipe = Recipe(epochs=0, frozen_epochs=1, batch_size=8)
    options = {"max_length": 16, "precision": "float32"}
    run_experiment(ExperimentConfig(str(tiny_checkpoint), options, recipe), data, folder / "run")
    return folder / "run"


def test_embeddings_start_from_a_bert_that_teaches(bert, tmp_path):
    console = silent()
    found = run_student(teaching_of(bert), tmp_path / "run", console)
    assert found.config.options["word_vectors"] == str(bert)
    assert "words start from them" in console.file.getvalue()


@pytest.mark.parametrize(
    "model, options",
    [
        ("transformer", {"word_vectors": ""}),
        ("transformer", {"tokens": "characters"}),
        ("tfidf_linear", {}),
    ],
    ids=["not wanted", "characters", "no embeddings"],
)
def test_others_start_as_ever(model, options, bert):
    config = teaching_of(bert).student(model, options, {})
    assert not config.options.get("word_vectors")


def test_a_moved_bert_goes_on(bert, tmp_path, monkeypatch):
    moved = shutil.copytree(bert, tmp_path / "teacher")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Teaching, "lesson", stopped_by_ctrl_c)
        run_student(teaching_of(moved), tmp_path / "run")
    moved = moved.rename(tmp_path / "moved")
    found = run_student(teaching_of(moved), tmp_path / "run")
    assert found.config.options["word_vectors"] == str(moved)
