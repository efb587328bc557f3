"""Notebooks run from the first cell to the last, and their saved outputs are complete."""

import base64
from pathlib import Path

import nbformat
import pytest

from tests.notebooks import FOLDER, run_notebook

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
WITH_MINILM = ("bert_from_tf_hub", "sms_spam")
MOST_BYTES = 60_000  # for one figure, because browsers load notebooks
OF_A_MACHINE = ("/tmp", "/home", "/root", "/usr", "site-packages", "\x1b[")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.slow  # tests/docs/test_pages.py runs the Python of the pages
@pytest.mark.starts_tensorflow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_from_the_first_cell_to_the_last(path, tmp_path, request):
    """It uses a thin MiniLM with random weights. `make notebooks` uses the real one."""
    if path.stem in WITH_MINILM:
        request.getfixturevalue("thin_minilm")
    test_data = request.getfixturevalue("test_data") if path.stem == "sms_spam" else None
    committed = nbformat.read(path, as_version=4)
    ran = run_notebook(path, tmp_path, test_data)
    for before, after in zip(code_cells(committed), code_cells(ran), strict=True):
        kinds = [[output.output_type for output in cell.outputs] for cell in (before, after)]
        assert set(kinds[0]) == set(kinds[1]), after.source
        assert kinds[1] or "=" in after.source or "import" in after.source, after.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_committed_and_clean(path):
    notebook = nbformat.read(path, as_version=4)
    assert any(cell.outputs for cell in code_cells(notebook))
    for cell in code_cells(notebook):
        assert not cell.metadata, "what an editor or a clock adds is not committed"
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text
            shown = output.get("text", "") + output.get("data", {}).get("text/plain", "")
            assert not [one for one in OF_A_MACHINE if one in shown], shown
            if "image/png" in output.get("data", {}):
                assert len(base64.b64decode(output.data["image/png"])) < MOST_BYTES, cell.source


def test_each_notebook_is_on_the_page_of_notebooks():
    page = (Path(__file__).parents[1] / "docs" / "notebooks.md").read_text(encoding="utf-8")
    assert NOTEBOOKS
    for path in NOTEBOOKS:
        assert path.name in page
