"""A run directory belongs to one process, and leftovers of a killed one are removed."""

import os
import re
import signal
import subprocess
import sys

import pytest

from kerasnlp_lab.errors import RunError
from kerasnlp_lab.training import RunDirectory
from kerasnlp_lab.training.stop_signals import StopSignals

CONFIG = {"recipe": {"epochs": 3}, "seed": 1, "versions": {"python": "3.11"}}


def begun(path):
    """Returns the folder of a run that was started and stopped."""
    with pytest.raises(KeyboardInterrupt), RunDirectory.claim(path, CONFIG):
        raise KeyboardInterrupt
    return path


def test_an_unfinished_run_of_the_same_configuration_is_claimed_again(tmp_path):
    run = begun(tmp_path / "run")
    with RunDirectory.claim(run, CONFIG | {"versions": {"python": "3.12"}}) as again:
        assert again.read_json("config.json") == CONFIG
        again.write_json("metrics.json", {})
    assert [file.name for file in sorted(run.iterdir())] == ["config.json", "metrics.json"]
    with pytest.raises(RunError, match="already exists"), RunDirectory.claim(run, CONFIG):
        pass
    assert [file.name for file in sorted(run.iterdir())] == ["config.json", "metrics.json"]


def test_another_configuration_is_refused_and_the_difference_told(tmp_path):
    run = begun(tmp_path / "run")
    other = CONFIG | {"recipe": {"epochs": 4}}
    with (
        pytest.raises(RunError, match="recipe epochs = 3, not 4.*--resume"),
        RunDirectory.claim(run, other),
    ):
        pass


def rows_at(place, fingerprint="f1"):
    return {"dataset": {"source": place, "fingerprint": fingerprint}}


def test_the_same_rows_may_come_from_another_place(tmp_path):
    run, link = tmp_path / "run", tmp_path / "link"
    for place in ("messages.csv", "/data/messages.csv"):
        with pytest.raises(KeyboardInterrupt), RunDirectory.claim(run, CONFIG | rows_at(place)):
            raise KeyboardInterrupt
        assert RunDirectory(run).read_json("config.json")["dataset"]["source"] == place
    other = CONFIG | rows_at("messages.csv", "f2")
    with pytest.raises(RunError, match="dataset source = '/data"), RunDirectory.claim(run, other):
        pass
    other = CONFIG | rows_at("messages.csv") | {"seed": 2}
    with pytest.raises(RunError, match="seed = 1, not 2"), RunDirectory.claim(run, other):
        pass
    run = run.rename(tmp_path / "renamed")
    assert RunDirectory(run).read_json("config.json")["dataset"]["source"] == "/data/messages.csv"
    link.symlink_to(run)
    with RunDirectory.claim(link, CONFIG | rows_at("/data/messages.csv")) as claimed:
        claimed.write_json("metrics.json", {})
    assert not RunDirectory(run).unfinished


def test_a_command_that_is_suggested_can_be_pasted(tmp_path):
    run = begun(tmp_path / "my run")
    resume = f"kerasnlp-lab train --resume '{run}'"
    with pytest.raises(RunError, match=re.escape(resume)):
        RunDirectory.open(run)
    with (
        pytest.raises(RunError, match=re.escape(resume)),
        RunDirectory.claim(run, CONFIG | {"seed": 2}),
    ):
        pass


def test_a_folder_with_anything_else_is_refused_and_left_as_it_was(tmp_path):
    for name in ("notes.txt", ".git"):
        folder = tmp_path / f"with {name}"
        folder.mkdir()
        (folder / name).write_text("mine")
        with pytest.raises(RunError, match="already exists"), RunDirectory.claim(folder, CONFIG):
            pass
        assert [file.name for file in folder.iterdir()] == [name]


def test_remains_of_a_killed_process_are_removed(tmp_path):
    run = tmp_path / "run"
    (run / ".model.abc.part").mkdir(parents=True)
    (run / ".model.abc.part" / "weights.safetensors").write_bytes(b"half")
    (run / ".config.json.123.part").write_text("{")
    with RunDirectory.claim(run, CONFIG):
        assert sorted(file.name for file in run.iterdir()) == [".lock", "config.json"]


@pytest.mark.slow  # tests/faults/test_kills.py has two processes
def test_two_processes_cannot_claim_one_folder(tmp_path):
    script = (
        "import sys; from kerasnlp_lab.training import RunDirectory\n"
        f"with RunDirectory.claim({str(tmp_path / 'run')!r}, {CONFIG!r}):\n"
        "    print('claimed', flush=True); sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "claimed\n"
        with (
            pytest.raises(RunError, match="another process is training into"),
            RunDirectory.claim(tmp_path / "run", CONFIG),
        ):
            pass
    finally:
        other.kill()  # a dead process holds no lock
        other.wait()
    with RunDirectory.claim(tmp_path / "run", CONFIG):
        pass


def test_a_second_sigterm_changes_nothing_and_a_second_ctrl_c_stops_at_once():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals() as signals:
        for _ in range(2):  # timeout and SLURM may send it twice
            os.kill(os.getpid(), signal.SIGTERM)
        assert signals.caught is signal.SIGTERM
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before
