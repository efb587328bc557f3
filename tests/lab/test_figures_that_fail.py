"""A run keeps its results if a figure cannot be drawn, and with any class names."""

import io
import json

import pytest
import rich.console

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.errors import TrainingStopped
from kerasnlp_lab.evaluation.plots import png_bytes
from kerasnlp_lab.lab import ExperimentConfig, experiment, run_experiment

NAMES = ("{$a} or {$b}", "[/red]", "_财经", "<script>")


@pytest.fixture(scope="module")
def data():
    texts = [f"word{row % 4} topic{row % 4} hello{row % 3}" for row in range(40)]
    split = Split(texts, [row % 4 for row in range(40)])
    return TextDataset("odd names", NAMES, split, split, split)


def test_the_results_are_written_without_the_figure(data, tmp_path, monkeypatch):
    shown = io.StringIO()

    def draw(figure):
        if len(figure.axes) == 1 and figure.axes[0].images:  # the confusion matrix
            raise MemoryError("no room")
        return png_bytes(figure)

    monkeypatch.setattr(experiment, "png_bytes", draw)
    console = rich.console.Console(file=shown, soft_wrap=True)
    config = ExperimentConfig("tfidf_linear")
    result = run_experiment(config, data, tmp_path / "run", console=console)
    expected = "confusion.png could not be drawn, the results are complete: MemoryError: no room"
    assert expected in shown.getvalue()
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert tuple(metrics["test"]["per_class"]) == NAMES
    drawn = {path.stem for path in (tmp_path / "run").glob("*.png")}
    assert drawn == {"learning_curves", "precision_recall", "reliability"}
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page and "<script" not in page and "_财经" in page

    def stop(evaluation):
        raise TrainingStopped("stopped by SIGTERM", 15)

    monkeypatch.setattr(type(result.evaluation), "figures", stop)
    with pytest.raises(TrainingStopped):
        experiment._write_figures(result, console)
