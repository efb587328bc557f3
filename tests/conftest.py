"""Fixtures for all test folders: a cache, the real data, and tiny BERTs as modules."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "PYTEST_XDIST_WORKER" in os.environ:  # there is one worker for each core
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
# On small matrices a second thread of NumPy's BLAS only waits, which takes five times the CPU time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from filelock import FileLock

import kerasnlp_lab  # before TensorFlow, which then computes by oneDNN
from kerasnlp_lab.paths import cache_dir, whole_directory
from tests import schedule
from tests.tiny_bert import build_beside, write_tiny_checkpoint
from tests.without_tensorflow import SkipsImports

# TensorFlow's graphs are millions of objects: looking for garbage takes a tenth of the time.
gc.set_threshold(100_000, 20, 20)

# If a shell starts the tests in the background, they and their processes ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]
# The Makefile sets the same cache. The user's own cache is never touched.
os.environ.setdefault("KERASNLP_LAB_CACHE", str(ROOT / ".cache"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-tensorflow",
        action="store_true",
        help="skip each test that imports TensorFlow: the others take seconds",
    )
    parser.addoption(
        "--write-durations",
        action="store_true",
        help=f"write what each file took to {schedule.DURATIONS.name}, by which they are ordered",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--without-tensorflow"):
        sys.meta_path.insert(0, SkipsImports())
    if config.getoption("--write-durations") and "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(schedule.Durations())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> schedule.GroupScheduling | None:
    grouped = config.getoption("dist") == "loadscope"
    return schedule.GroupScheduling(config, log) if grouped else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    schedule.longest_first(items)
    if config.getoption("--without-tensorflow"):
        for item in items:
            if item.get_closest_marker("starts_tensorflow"):
                item.add_marker(pytest.mark.skip("its processes import TensorFlow"))


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Seeds random numbers, so that a failing test fails again."""
    random.seed(0)
    np.random.seed(0)
    if "tensorflow" in sys.modules:
        from kerasnlp_lab._keras import keras

        keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory) -> Path:
    """A folder that all workers of this session share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


def built_once(folder: Path, build: Callable[[Path], object]) -> Path:
    """Returns a folder, built unless another worker has done so."""
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            with whole_directory(folder) as target:
                build(target)
    return folder


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory):
    """Gives the tests a temporary cache. Only MiniLM is shared, because it is large."""
    modules = cache_dir() / "modules"
    modules.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("KERASNLP_LAB_CACHE", str(cache_with(modules, tmp_path_factory)))
        yield


def cache_with(modules: Path, tmp_path_factory) -> Path:
    """Returns a new cache with the modules of another."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "modules").symlink_to(modules)
    return folder


@pytest.fixture(scope="session")
def thin_minilm_cache(session_cache, shared_folder: Path, tmp_path_factory) -> Path:
    """A cache whose MiniLM has its vocabulary, 6 layers and 12 heads, but tiny random weights."""
    from kerasnlp_lab.hub import minilm_modules
    from tests.thin_minilm import build_thin_minilm

    preprocess = Path(minilm_modules().preprocess)
    thin = built_once(
        shared_folder / "thin_minilm", lambda folder: build_thin_minilm(folder, preprocess)
    )
    return cache_with(thin / "modules", tmp_path_factory)


@pytest.fixture
def thin_minilm(thin_minilm_cache: Path, monkeypatch) -> None:
    """Replaces minilm_l6_h384 by the thin one for one test."""
    monkeypatch.setenv("KERASNLP_LAB_CACHE", str(thin_minilm_cache))


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with real AG News and SMS spam."""
    configured = os.environ.get("KERASNLP_LAB_TEST_DATA")
    folder = Path(configured) if configured else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data not found: set KERASNLP_LAB_TEST_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def ag_news_csv(test_data: Path) -> Path:
    """The folder with the original train.csv and test.csv of AG News."""
    folder = test_data / "ag_news_csv"
    if not folder.is_dir():
        pytest.skip(f"no ag_news_csv in {test_data}")
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory) -> Path:
    """A BERT of 2 layers and hidden size 16 with random weights, in Hugging Face's format.

    Modules built of it stay in the cache. Its name has the hash of the code that builds them.
    """
    files = sorted(Path(kerasnlp_lab.__file__).parent.joinpath("bert").glob("*.py"))
    code = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny") / f"tiny_{code}")


@pytest.fixture(scope="session")
def tiny_modules(tiny_checkpoint: Path, session_cache) -> Path:
    """The same BERT as TF Hub modules: a folder with preprocess/ and encoder/."""
    from kerasnlp_lab.hub.local import local_modules

    return Path(local_modules(tiny_checkpoint).encoder).resolve().parent


@pytest.fixture(scope="session")
def tiny_hub_cache(
    tiny_checkpoint: Path, tiny_modules: Path, shared_folder: Path, tmp_path_factory
) -> tuple[str, dict[str, str]]:
    """A TF Hub cache that holds the tiny BERT, without dropout, under small_bert's two handles.

    Returns the model's name in the zoo, and the environment variables that select the cache.
    """
    from tests.hub.tfhub_cache import SMALL_BERT, fill_tfhub_cache

    def build(folder: Path) -> None:
        checkpoint = tmp_path_factory.mktemp("no_dropout") / "checkpoint"
        shutil.copytree(tiny_checkpoint, checkpoint)
        config = json.loads((checkpoint / "config.json").read_text())
        config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        (checkpoint / "config.json").write_text(json.dumps(config))
        modules = tmp_path_factory.mktemp("modules")
        build_beside(tiny_modules / "preprocess", checkpoint, modules)
        fill_tfhub_cache(folder, modules)

    cache = built_once(shared_folder / "tfhub_cache", build)
    return SMALL_BERT, {"TFHUB_CACHE_DIR": str(cache)}
