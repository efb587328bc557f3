"""README's Python and the docstrings' examples work. tests/docs/ checks pages and commands."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  # README's Python reads an export back in a fresh process

import kerasnlp_lab

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = [
    module.name
    for module in pkgutil.walk_packages(kerasnlp_lab.__path__, "kerasnlp_lab.")
    if not module.name.endswith("__main__")
]
NEED_AN_EXTRA = {"kerasnlp_lab.serving.on_beam": "apache_beam"}


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name):
    if extra := NEED_AN_EXTRA.get(name):
        pytest.importorskip(extra, reason=f"{name} needs {extra}, which is not installed")
    module = importlib.import_module(name)
    exported = {one: getattr(kerasnlp_lab, one) for one in kerasnlp_lab.__all__}
    failed, _ = doctest.testmod(
        module,
        extraglobs={"tf": tf, "np": np, **exported, **vars(module)},
        optionflags=doctest.ELLIPSIS,
    )
    assert failed == 0


def test_readme_can_be_read_in_three_minutes():
    lines = README.splitlines()
    assert len(lines) <= 125
    assert not [line for line in lines if len(line) > 100]


@pytest.mark.slow  # tests/docs/test_pages.py runs it in its own process
@pytest.mark.starts_tensorflow
def test_readme_python_runs_as_it_stands(tmp_path):
    [code] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    code = code.replace("epochs=10", "epochs=1")  # enough to see it work
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    assert (tmp_path / "exported" / "saved_model.pb").is_file()
