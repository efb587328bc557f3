import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark_module(monkeypatch):
    """Returns a function that imports a file of benchmarks/ from within that folder."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module
