"""Options of serve that are refused, and folders that cannot be served."""

import pytest

from kerasnlp_lab.errors import OptionError, RunError
from kerasnlp_lab.serving.metrics import Metrics
from kerasnlp_lab.serving.models import read_models
from kerasnlp_lab.serving.server import listen
from kerasnlp_lab.serving.settings import Settings


@pytest.mark.parametrize(
    "given, message",
    [
        ({"workers": 0}, "--workers must be more than 0, got 0"),
        ({"threads": -1}, "--threads must be 0 or more, got -1"),
        ({"body_timeout": 0.0}, "--body-timeout must be more than 0, got 0.0"),
        ({"max_queue": 10}, r"--max-queue must be at least --max-texts \(1024\), or a large"),
        ({"cors": ["example.org"]}, "--cors must be an origin such as https://example.org"),
    ],
)
def test_bad_settings(given, message):
    with pytest.raises(OptionError, match=message):
        Settings(**given)


def read(*given):
    return read_models(list(map(str, given)), Settings(), Metrics())


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "saved_model.pb").touch()
    return folder


def test_names(export, tmp_path, monkeypatch):
    (tmp_path / "versions" / "3").mkdir(parents=True)
    found = read(export, f"other={export}", tmp_path / "versions")
    assert {name: model.watched for name, model in found.items()} == {
        "news": False,
        "other": False,
        "versions": True,
    }
    monkeypatch.chdir(export)
    assert list(read(".")) == ["news"]


def test_a_folder_with_an_equals_sign_is_a_folder(export, tmp_path):
    export.rename(tmp_path / "a=b")
    assert list(read(tmp_path / "a=b")) == ["a=b"]


@pytest.mark.parametrize("name", ["a/b", "a:b", ""])
def test_names_that_no_address_can_have(export, name):
    with pytest.raises(OptionError, match="cannot be a model's name"):
        read(f"{name}={export}")


def test_a_name_twice(export):
    with pytest.raises(OptionError, match="two models are called news: name one of them: NAME="):
        read(export, export)


def test_folders_that_are_no_exports(tmp_path):
    with pytest.raises(RunError, match="there is no folder .*missing"):
        read(tmp_path / "missing")
    with pytest.raises(RunError, match="neither an exported model .* nor a folder of versions"):
        read(tmp_path)
    (tmp_path / "config.json").touch()
    with pytest.raises(RunError, match="is a run directory; export it first: kerasnlp-lab export"):
        read(tmp_path)


def test_a_port_that_is_taken():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OptionError, match=f"cannot listen on 127.0.0.1, port {port}: Address"):
            listen("127.0.0.1", port)
    with pytest.raises(OptionError, match="cannot listen on 127.0.0.1, port 99999"):
        listen("127.0.0.1", 99999)
