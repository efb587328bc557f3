"""Ctrl-C gives status 130, one line that names the kept files, and no traceback.

A reader that leaves ends a command too, without an error.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import weakref

import pytest

from kerasnlp_lab.cli.interrupts import note_what_is_kept, raise_on_first_interrupt
from tests import processes
from tests.cli.command import run
from tests.cli.interrupted import run_interrupted
from tests.cli.test_mistakes import assert_mistake
from tests.data.inspection.tables import plain_rows, write_table
from tests.hub.installed import ENCODER, SMALLEST, TFHUB

NEWS = ("--dataset", "news_sample")
NOTHING = "kerasnlp-lab: stopped by Ctrl-C; nothing was written\n"


def leftovers(folder):
    return [path.name for path in folder.iterdir() if path.name.endswith(".part")]


@pytest.mark.parametrize("module", ["typer", "tensorflow", "tensorflow.python.eager.context"])
def test_while_something_is_imported(module):
    command = [sys.executable, "-m", "tests.cli.interrupted", module, "zoo", "list"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", NOTHING)


@pytest.mark.parametrize(
    "resumes",
    # tests/faults/test_kills.py resumes trainings after other signals.
    [False, pytest.param(True, marks=pytest.mark.slow)],
    ids=["stopped", "and resumed"],
)
def test_train_says_how_to_go_on(resumes, tmp_path):
    words = ("--model", "transformer", *NEWS, "--epochs", "2", "--output", tmp_path / "run")
    words = (*words, "--option", "embed_dim=8", "--option", "ff_dim=8", "--batch-size", "64")
    result = run_interrupted(".history.csv", "train", *words)  # after the first epoch
    assert result.code == 130
    assert "Traceback" not in result.err
    line = result.err.splitlines()[-1]
    assert line.startswith("kerasnlp-lab: stopped by SIGINT after step ")
    assert line.endswith(f"resume with: kerasnlp-lab train --resume {tmp_path / 'run'}")
    if not resumes:
        return
    finished = run("train", "--resume", tmp_path / "run", "--json")
    assert finished.code == 0, finished.err
    assert len(json.loads(finished.out)["training"]["history"]) == 2


def test_train_before_and_after_its_steps(tmp_path):
    words = ("train", "--model", "tfidf_linear", *NEWS, "--output", tmp_path / "run")
    result = run_interrupted("test.csv", *words)
    assert (result.code, result.err) == (130, NOTHING)
    assert not (tmp_path / "run").exists()
    result = run_interrupted(".report.html", *words)
    assert result.code == 130
    assert result.err == (
        f"kerasnlp-lab: stopped by Ctrl-C; {tmp_path / 'run'} is kept, resume with: "
        f"kerasnlp-lab train --resume {tmp_path / 'run'}\n"
    )
    assert run("train", "--resume", tmp_path / "run").code == 0


def test_train_is_resumed_after_its_table_was_moved(tmp_path, monkeypatch):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    write_table(tmp_path / "here" / "messages.csv", plain_rows())
    monkeypatch.chdir(tmp_path / "here")
    words = ("--model", "tfidf_linear", "--data", "messages.csv", "--output", "my run")
    result = run_interrupted(".report.html", "train", *words)
    assert result.err.endswith("resume with: kerasnlp-lab train --resume 'my run'\n")
    (tmp_path / "here" / "my run").rename(tmp_path / "there" / "renamed")
    monkeypatch.chdir(tmp_path / "there")
    moved = (tmp_path / "here" / "messages.csv").rename(tmp_path / "there" / "moved.csv")
    assert_mistake(run("train", "--resume", "renamed"), "messages.csv: no such file", "--data NEW")
    other = write_table(tmp_path / "there" / "other.csv", plain_rows()[:-2])
    refused = run("train", "--resume", "renamed", "--data", other)
    assert_mistake(refused, f"{other} holds other rows than when the run was started")
    finished = run("train", "--resume", "renamed", "--data", "moved.csv")
    assert finished.code == 0, finished.err
    assert "its rows are now read from moved.csv\n" in finished.out
    config = json.loads((tmp_path / "there" / "renamed" / "config.json").read_text())
    assert config["dataset"]["reading"]["paths"] == {"train": str(moved)}


def test_a_model_in_a_folder_is_kept_by_its_whole_path(tiny_checkpoint, tmp_path, monkeypatch):
    (tmp_path / "my_bert").symlink_to(tiny_checkpoint)
    monkeypatch.chdir(tmp_path)
    configs = []
    monkeypatch.setattr("kerasnlp_lab.cli.train._run", lambda config, *rest: configs.append(config))
    monkeypatch.setattr("kerasnlp_lab.cli.train.print_result", lambda *result: None)
    for name in ("my_bert", "transformer"):
        assert run("train", "--model", name, *NEWS).code == 0
    assert [config.model for config in configs] == [str(tmp_path / "my_bert"), "transformer"]


def test_train_that_waits_for_other_workers(tmp_path):
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("localhost", 0))
        workers = [f"localhost:{each.getsockname()[1]}" for each in (one, other)]
    task = {"type": "worker", "index": 0}
    config = {"cluster": {"worker": workers}, "task": task}
    words = ("train", "--model", "transformer", *NEWS, "--strategy", "multi_worker")
    words += ("--output", tmp_path / "run")
    environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
    out, err = tmp_path / "out", tmp_path / "err"
    process = processes.start("kerasnlp_lab", words, out=out, err=err, environment=environment)
    wait_for_line(err, "waiting for the other workers\n")
    time.sleep(1)  # until it does
    os.kill(process.pid, signal.SIGINT)
    process.join(10)
    assert process.exitcode == -signal.SIGINT
    assert "Traceback" not in err.read_text()


def wait_for_line(file, line):
    until = time.monotonic() + 120
    while not file.exists() or line not in file.read_text():
        assert time.monotonic() < until, f"no {line!r} in {file}"
        time.sleep(0.05)


def test_compare_names_the_finished_runs(tmp_path):
    words = ("--models", "tfidf_linear,seed_transformer", *NEWS, "--output", tmp_path / "all")
    result = run_interrupted("all/seed_transformer", "compare", *words)
    assert result.code == 130
    line = f"stopped by Ctrl-C; finished before: {tmp_path / 'all' / 'tfidf_linear'}\n"
    assert result.err == f"kerasnlp-lab: {line}"
    assert run("evaluate", tmp_path / "all" / "tfidf_linear", *NEWS).code == 0


def predict_through_pipes(exported, folder):
    """Starts `predict --json`; returns its process and the files of its three streams."""
    stdin, out, err = (folder / name for name in ("stdin", "out", "err"))
    os.mkfifo(stdin)
    os.mkfifo(out)
    words = ("predict", exported, "--json")
    return processes.start("kerasnlp_lab", words, stdin=stdin, out=out, err=err), stdin, out, err


def test_predict_that_waits_for_texts(exported, tmp_path):
    process, stdin, out, err = predict_through_pipes(exported, tmp_path)
    with stdin.open("w") as texts, out.open() as answers:
        texts.write("a text\n" * 32)
        texts.flush()
        answered = [json.loads(answers.readline()) for _ in range(32)]
        os.kill(process.pid, signal.SIGINT)
        process.join(60)
    assert process.exitcode == 130
    assert err.read_text() == "kerasnlp-lab: stopped by Ctrl-C; texts answered: 32\n"
    assert {answer["text"] for answer in answered} == {"a text"}


def test_answers_stream_and_a_reader_may_leave(exported, tmp_path):
    """`producer | kerasnlp-lab predict MODEL | head -3` answers at once and ends without errors."""
    process, stdin, out, err = predict_through_pipes(exported, tmp_path)
    lines = [f"text {number}\n" for number in range(100)]
    with contextlib.suppress(BrokenPipeError), stdin.open("w") as texts:
        with out.open() as read:
            texts.writelines(lines)
            texts.flush()
            answers = [json.loads(read.readline()) for _ in range(3)]
        texts.writelines(lines)  # the process may have ended
    process.join(60)
    assert [answer["text"] for answer in answers] == ["text 0", "text 1", "text 2"]
    complaint = err.read_text()
    assert "Traceback" not in complaint and "BrokenPipe" not in complaint, complaint
    assert process.exitcode == 0


def test_evaluate(finished_run):
    result = run_interrupted("weights.safetensors", "evaluate", finished_run, *NEWS, "--json")
    assert (result.code, result.out, result.err) == (130, "", NOTHING)


def test_export_leaves_nothing(finished_run, tmp_path):
    result = run_interrupted(".exported.", "export", finished_run, "--to", tmp_path / "exported")
    assert (result.code, result.err) == (130, NOTHING)
    assert not list(tmp_path.iterdir())


def test_shard_leaves_nothing(tmp_path):
    words = ("--to", tmp_path / "shards", "--shards", "2")
    result = run_interrupted(".shards.json", "data", "shard", *NEWS, *words)
    assert (result.code, result.err) == (130, NOTHING)
    assert not list(tmp_path.iterdir())


def test_inspect_says_what_is_incomplete(tmp_path):
    table = write_table(tmp_path / "t.csv", plain_rows())
    words = ("data", "inspect", table, "--model", "tfidf_linear", "--output", tmp_path / "found")
    result = run_interrupted("t.csv", *words)
    assert (result.code, result.err) == (130, NOTHING)
    result = run_interrupted(".inspection.json", *words)
    assert result.code == 130
    told = f"stopped by Ctrl-C; what was written of {tmp_path / 'found'} is incomplete; remove it"
    assert result.err == f"kerasnlp-lab: {told}\n"
    assert not leftovers(tmp_path / "found")


def test_install_from_a_file_leaves_nothing(hub_environment, tiny_archives, tmp_path):
    (tmp_path / "module.tar.gz").write_bytes(tiny_archives["encoder"])
    words = ("hub", "install", ENCODER, "--from", tmp_path / "module.tar.gz")
    result = run_interrupted("/fetched", *words)
    assert (result.code, result.err) == (130, NOTHING)
    assert not leftovers(tmp_path / "tfhub")


def test_install_keeps_what_came_of_a_download(hub_environment, origins, tmp_path):
    def press_control_c(request):
        request.wfile.write(request.begin()[:150_000])
        request.wfile.flush()
        time.sleep(0.5)  # until it is written
        os.kill(os.getpid(), signal.SIGINT)
        request.server.closing.wait(60)

    path = TFHUB["encoder"]
    origins.files[path] = bytes(200_000)
    origins.play(path, press_control_c)
    result = run("hub", "install", SMALLEST)
    assert result.code == 130
    downloads = tmp_path / "tfhub" / ".downloads"
    assert result.err == (
        f"kerasnlp-lab: stopped by Ctrl-C; 0.1 MB are kept in {downloads}; the same command "
        "resumes the download\n"
    )


def test_it_is_not_lost_in_a_callback_of_the_garbage_collector(capfd):
    class Dropped:
        pass

    one = Dropped()
    reference = weakref.ref(one, lambda _: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt), raise_on_first_interrupt() as came:
        del one
        assert reference() is None
        time.sleep(5)
    assert came()
    assert capfd.readouterr().err == ""


def test_a_second_one_does_not_wait():
    script = (
        "import signal, time\n"
        "from kerasnlp_lab.cli.interrupts import raise_on_first_interrupt\n"
        "with raise_on_first_interrupt():\n"
        "    try:\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "    finally:\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "        time.sleep(60)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 130
    assert result.stderr == "kerasnlp-lab: stopped at once by a second Ctrl-C\n"


def test_a_program_that_is_to_ignore_it_does():
    """nohup, and `&` in a script, start programs that ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with raise_on_first_interrupt() as came:
            signal.raise_signal(signal.SIGINT)
        assert not came()
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_is_kept_is_a_note_of_what_ended_it():
    with pytest.raises(KeyboardInterrupt) as ended, note_what_is_kept(lambda: "all of it"):
        raise KeyboardInterrupt
    assert ended.value.__notes__ == ["all of it"]
