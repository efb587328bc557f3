"""AG News without a network, and after its preparation was killed half way."""

import re
import signal
import subprocess
import sys
import time

import pytest

from kerasnlp_lab.data import load_dataset
from kerasnlp_lab.data.ag_news import install_ag_news
from tests.data.ag_news_files import (
    TEST,
    TRAIN,
    environment,
    write_csv,
)

CLOSED_PORT = "http://127.0.0.1:9"
LOAD = """
import sys
from kerasnlp_lab.data import load_dataset
from kerasnlp_lab.errors import KerasnlpLabError

try:
    load_dataset("ag_news", data_dir=sys.argv[1])
except KerasnlpLabError as error:
    print(type(error).__name__, error)
"""
INSTALL = """
import sys
from kerasnlp_lab.data.ag_news import install_ag_news

install_ag_news(*sys.argv[1:])
"""


def joined(rows):
    return sorted(f"{title} {description}" for _, title, description in rows)


def python(program, *arguments, **changes):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(**changes),
    )


@pytest.fixture(scope="module")
def message_without_network(tmp_path_factory):
    """Returns the message of load_dataset behind a proxy port without a listener."""
    variables = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
    shut = {name: CLOSED_PORT for v in variables for name in (v, v.lower())}
    shut |= {"NO_PROXY": "", "no_proxy": ""}
    process = python(LOAD, tmp_path_factory.mktemp("empty"), **shut)
    try:
        # A connection is refused at once, so the error should not take minutes.
        # TensorFlow Datasets prints its own progress first.
        return process.communicate(timeout=60)[0].splitlines()[-1]
    finally:
        process.kill()
        process.wait()


def test_failed_download_says_what_to_do(message_without_network):
    assert message_without_network.startswith("DatasetMissingError ag_news is not prepared in ")
    assert "kerasnlp-lab data install ag_news --from PATH" in message_without_network


def test_failed_download_says_why(message_without_network):
    assert re.search(r"its download failed \(.*(proxy|connection)", message_without_network, re.I)


@pytest.mark.slow
@pytest.mark.starts_tensorflow
def test_a_kill_in_the_middle_of_preparing(tmp_path):
    many = write_csv(tmp_path / "many", train=TRAIN * 5000)
    data_dir = tmp_path / "data"
    process = python(INSTALL, many, data_dir)
    deadline = time.monotonic() + 120
    while not list(data_dir.glob("ag_news_subset/incomplete.*/*")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert list(data_dir.glob("ag_news_subset/incomplete.*"))

    few = write_csv(tmp_path / "few")
    assert install_ag_news(few, data_dir)[1:] == (len(TRAIN), len(TEST))
    data = load_dataset("ag_news", data_dir=data_dir, validation_fraction=0.5)
    assert sorted(data.train.texts + data.validation.texts) == joined(TRAIN)
    assert sorted(data.test.texts) == joined(TEST)
