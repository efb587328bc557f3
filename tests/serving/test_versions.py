"""Which version answers, as folders come, change and go; test_load.py swaps in a real server."""

import asyncio
import shutil
from types import SimpleNamespace

import pytest

from kerasnlp_lab.errors import RunError
from kerasnlp_lab.serving.lane import Lane
from kerasnlp_lab.serving.metrics import Metrics
from kerasnlp_lab.serving.models import KEPT_ENDED, ServedModel
from kerasnlp_lab.serving.settings import Settings


class Loaded:
    """Stands for the processes of a version, which these tests do not need."""

    ready = True
    about = SimpleNamespace(task="classification")

    async def stop(self):
        await asyncio.sleep(0)


@pytest.fixture
def opened(monkeypatch):
    """The versions that were opened; a folder with a file "broken" is refused."""
    opened = []

    async def open_lane(name, number, folder, settings, metrics):
        opened.append(number)
        if (folder / "broken").exists():
            raise RunError(f"{folder} is damaged")
        return Loaded()

    monkeypatch.setattr(Lane, "open", open_lane)
    return opened


def add(folder, number, *, broken=False):
    (folder / str(number)).mkdir(exist_ok=True)
    (folder / str(number) / "saved_model.pb").write_text("graph")
    if broken:
        (folder / str(number) / "broken").touch()


def states(model):
    return {number: one.state for number, one in sorted(model.versions.items())}


def run(folder, test):
    """Runs a test with a model that has loaded its first version."""

    async def all_of_it():
        model = ServedModel("news", folder, Settings(), Metrics())
        await model.load()

        async def look(times=2):  # a version must look the same twice
            for _ in range(times):
                await model._look()
            await asyncio.sleep(0.01)

        await test(model, look)

    asyncio.run(all_of_it())


def test_the_newest_version_answers(opened, tmp_path):
    async def test(model, look):
        assert model.current.number == 9
        add(tmp_path, 10)
        await look(1)
        assert model.current.number == 9  # it may still be copied
        await look(1)
        assert model.current.number == 10
        assert states(model) == {9: "END", 10: "AVAILABLE"}
        assert (model.find(None), model.find(10), model.find(9)) == (
            model.current,
            model.current,
            None,
        )
        await look(3)
        assert opened == [9, 10]

    add(tmp_path, 2)
    add(tmp_path, 9)
    (tmp_path / "notes").mkdir()
    run(tmp_path, test)


def test_a_version_that_is_still_copied_is_not_opened(opened, tmp_path):
    async def test(model, look):
        for length in range(1, 4):
            add(tmp_path, 2)
            (tmp_path / "2" / "variables").write_text("x" * length)
            await look(1)
        assert opened == [1]
        await look(1)
        assert opened == [1, 2]

    add(tmp_path, 1)
    run(tmp_path, test)


def test_a_broken_version_is_refused_until_its_files_change(opened, tmp_path):
    async def test(model, look):
        add(tmp_path, 2, broken=True)
        await look(4)
        assert opened == [1, 2]
        assert model.current.number == 1
        assert model.versions[2].error == f"{tmp_path / '2'} is damaged"
        assert states(model) == {1: "AVAILABLE", 2: "END"}
        (tmp_path / "2" / "broken").unlink()
        await look()
        assert model.current.number == 2
        assert states(model) == {1: "END", 2: "AVAILABLE"}

    add(tmp_path, 1)
    run(tmp_path, test)


def test_an_older_version_answers_again_when_the_newer_is_removed(opened, tmp_path):
    async def test(model, look):
        shutil.rmtree(tmp_path / "2")
        await look()
        assert model.current.number == 1
        shutil.rmtree(tmp_path / "1")
        await look()
        assert model.current.number == 1  # nothing could replace it

    add(tmp_path, 1)
    add(tmp_path, 2)
    run(tmp_path, test)


def test_at_the_start_a_broken_version_gives_way_to_an_older_one(opened, tmp_path):
    async def test(model, look):
        assert model.current.number == 1
        assert opened == [3, 2, 1]

    add(tmp_path, 1)
    add(tmp_path, 2, broken=True)
    add(tmp_path, 3, broken=True)
    run(tmp_path, test)


def test_without_a_good_version_the_server_says_why(opened, tmp_path):
    add(tmp_path, 1, broken=True)
    with pytest.raises(RunError, match="1 is damaged"):
        run(tmp_path, None)


def test_only_the_last_ended_versions_are_listed(opened, tmp_path):
    async def test(model, look):
        for number in range(2, KEPT_ENDED + 5):
            add(tmp_path, number)
            await look()
        assert len(model.versions) == KEPT_ENDED + 1

    add(tmp_path, 1)
    run(tmp_path, test)
