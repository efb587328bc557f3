"""Writes benchmarks/RESULTS.md: the newest result of every question on every machine.

python benchmarks/table.py
"""

from __future__ import annotations

import argparse
import ast
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import spread

HERE = Path(__file__).parent
# The name of a question, its title, and the share or the multiple that was aimed at, by peer.
QUESTIONS: dict[str, tuple[str, dict[str, float]]] = {
    "fine_tune": (
        "Fine-tuning MiniLM",
        {"tf_hub_padded": 3.5, "keras_hub": 5, "hugging_face": 2.5, "hugging_face_best": 1},
    ),
    "predict": (
        "Predicting with MiniLM",
        {"keras_hub": 4, "hugging_face": 3.5, "torch_best": 1, "onnx_runtime": 1.3},
    ),
    "latency": (
        "One text at a time through an export",
        {"tf_hub_padded": 3, "hugging_face": 1},
    ),
    "serve": (
        "Answering over HTTP, 64 clients of one text each",
        {"in_process": 0.7, "plain_server": 3},
    ),
    "pretrain": (
        "Pre-training",
        {
            "hugging_face_lines": 2.5,
            "hugging_face": 2.5,
            "hugging_face_bfloat16": 1,
            "model_garden": 2.5,
        },
    ),
    "entities": ("Entities", {}),
    "pairs": ("Pairs of texts", {}),
    "from_scratch_train": ("Training from scratch", {"tutorial": 4}),
    "from_scratch_train_lstm": ("Training lstm from scratch", {}),
    "from_scratch_train_rnn_attention": ("Training rnn_attention from scratch", {}),
    "from_scratch_predict": (
        "Predicting from scratch",
        {"fasttext": 0.5, "fasttext_normalized": 0.5},
    ),
    "distil": ("Small students of a BERT", {}),
    "tokenizing": ("Word pieces", {"tokenizers": 7, "tokenizers_fast": 7}),
    "input_pipeline": ("The input pipeline", {"model": 5}),
    "machine_limit": ("Share of the machine's limit", {"training": 0.6, "predicting": 0.7}),
    "accuracy": ("Accuracy after the same epochs", {}),
    "few_shot": ("A few rows a class", {}),
    "start": ("Starting", {}),
}
NAMES = {
    "ours": "ours",
    "ours_pooled": "ours, with the peers' head",
    "ours_pairs": "ours, with the next sentence",
    "ours_from_scratch": "ours, from scratch",
    "ours_by_model": "ours, by MiniLM's own recipe",
    "ours_bare": "ours, to memory and not to a file",
    "ours_as_it_is": "ours, with TensorFlow's own threads",
    "tf_hub_padded": "hub.KerasLayer, padded to 128",
    "keras_hub": "KerasHub",
    "hugging_face": "Hugging Face",
    "hugging_face_best": "Hugging Face, length-sorted, bfloat16 where there is hardware for it",
    "hugging_face_bfloat16": "Hugging Face, bfloat16 where there is hardware for it",
    "hugging_face_lines": "Hugging Face, a document a sequence",
    "model_garden": "the Model Garden, padded to 128",
    "torch_best": "PyTorch, length-sorted, bfloat16 where there is hardware for it",
    "onnx_runtime": "ONNX Runtime, length-sorted, float32",
    "set_fit": "SetFit",
    "set_fit_student": "SetFit's distillation, 3 layers",
    "model2vec": "Model2Vec",
    "ours_plain": "ours, not distilled",
    "ours_teacher": "ours, the teacher",
    "tutorial": "the tutorial's code, padded to 256",
    "fasttext": "fastText",
    "fasttext_normalized": "fastText, texts prepared as in its tutorial",
    "tokenizers": "Hugging Face's tokenizers, `encode_batch`",
    "tokenizers_fast": "Hugging Face's tokenizers, `encode_batch_fast`",
    "in_process": "the same export in process",
    "plain_server": "a FastAPI server without batches",
    "model": "the from-scratch model's own speed",
}
INTRODUCTION = """# Benchmark results

`python benchmarks/table.py` writes this page from `benchmarks/history.jsonl`, which holds all
rounds of all results; do not edit it by hand. It shows the newest result of each question on each
machine. [Benchmarks](README.md) says what is timed, and how. Both machines had other work at the
time: compare ratios, not speeds.

A speed is the median of the rounds. A ratio is taken within a round: median, least and greatest.
"""


def render(history: Path) -> str:
    """Returns the page.

    Args:
        history: A file with a JSON object a line: one result.
    """
    parts = [INTRODUCTION]
    for question, (title, goals) in QUESTIONS.items():
        results = _newest(history, question)
        if results:
            parts.append(f"## {title}\n")
        for line in results:
            parts += [f"{_origin(line)}\n", "\n".join(_table(line, goals)) + "\n"]
            parts += [f"{note}\n" for note in _notes(line)]
    return "\n".join(parts)


def _newest(history: Path, question: str) -> list[dict[str, Any]]:
    """Returns the last line of each machine and variant of a question.

    A line on some contestants only replaces these contestants' scores and no others.
    """
    found: dict[str, dict[str, Any]] = {}
    for text in history.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if line["question"] != question:
            continue
        key = f"{_machine(line)} {_variant(line)}"
        before = found.get(key, {}).get("scores", {})
        for measure, scores in line.get("scores", {}).items():
            line["scores"][measure] = {**before.get(measure, {}), **scores}
        found[key] = line
    return list(found.values())


def _machine(line: Mapping[str, Any]) -> str:
    machine = line["machine"]
    units = " and ".join(machine["bfloat16"]) or "no bfloat16"
    return f"{machine['cpu']}, {machine['cores']} cores, {units}"


def _variant(line: Mapping[str, Any]) -> str:
    percentile = line.get("percentile")
    parts = (
        line.get("task"),
        line.get("dataset"),
        percentile and f"{percentile}th percentile",
        "one processor" if line["arguments"].get("threads") == "1" else "",
    )
    return ", ".join(part for part in parts if part)


def _origin(line: Mapping[str, Any]) -> str:
    """Returns where a result comes from: variant, machine, date, commit, command."""
    names = [f"**{_variant(line)}**"] if _variant(line) else []
    place = ", ".join([*names, _machine(line)])
    return f"{place}; {line['date'][:10]}, commit {line['commit']}:\n\n    {_command(line)}"


def _command(line: Mapping[str, Any]) -> str:
    program = line["question"].removesuffix(f"_{line['arguments'].get('model')}")
    words = [f"python benchmarks/{program}.py"]
    for name, value in line["arguments"].items():
        option = f"--{name.replace('_', '-')}"
        if name in ("corpus", "data"):
            words.append(value)
        elif value == "[]":
            continue
        elif value.startswith("["):
            words += [option, *map(str, ast.literal_eval(value))]
        elif value == "True":
            words.append(option)
        elif value not in ("None", "False") and (name, value) != ("threads", "2"):
            words += [option, value]
    return " ".join(words)


def _table(line: Mapping[str, Any], goals: Mapping[str, float]) -> list[str]:
    if "scores" in line:
        return _scores(line["scores"])
    if "seconds" in line:
        rows = [f"| `{name}` | {_median(times):.3f} s |" for name, times in line["seconds"].items()]
        return ["| | median |", "|---|---|", *rows]
    if "shares" in line:
        speed = _median(line["products"][line["precision"].removeprefix("mixed_")])
        rows = [
            f"| {own} | {speed / 1e9:,.0f} GFLOP/s | {spread(shares)} | {goals[own]:g} |"
            for own, shares in line["shares"].items()
        ]
        head = "| | matrix products alone | our share (least to greatest) | goal |"
        return [head, "|---|---|---|---|", *rows]
    return _ratios(line, goals)


def _ratios(line: Mapping[str, Any], goals: Mapping[str, float]) -> list[str]:
    unit = line["unit"]
    found = [
        f"| | {unit} | against | {unit} | ratio (least to greatest) | goal |",
        "|---|---|---|---|---|---|",
    ]
    for own, against in line["ratios"].items():
        for peer, ratios in against.items():
            cells = (
                NAMES[own],
                _rate(line["rates"][own]),
                NAMES[peer],
                _rate(line["rates"][peer]),
                spread(ratios),
                f"{goals[peer]:g}" if peer in goals else "none",
            )
            found.append(f"| {' | '.join(cells)} |")
    return found


def _scores(scores: Mapping[str, Mapping[str, Sequence[float]]]) -> list[str]:
    names = list(next(iter(scores.values())))
    rows = []
    for name in names:
        cells = []
        for one in scores.values():
            values = one[name]
            mean = statistics.mean(values)
            cells.append(f"{mean:.3f} ({min(values):.3f} to {max(values):.3f})")
        rows.append(f"| {NAMES[name]} | {' | '.join(cells)} |")
    head = " | ".join(f"{measure}, mean of the seeds (least to greatest)" for measure in scores)
    return [f"| | {head} |", f"|---|{'---|' * len(scores)}", *rows]


def _notes(line: Mapping[str, Any]) -> list[str]:
    """Returns sentences on what a table does not show: whether the contestants answered alike."""
    found = []
    if line["arguments"].get("only", "None") not in ("None", "[]"):
        found.append("The rows that this command leaves out are of an earlier result.")
    if line.get("agreement"):
        shares = [f"{NAMES[name]} {share:.1%}" for name, share in line["agreement"].items()]
        found.append(f"Texts with the same label as ours: {'; '.join(shares[1:])}.")
    if line.get("accuracy"):
        shares = [f"{NAMES[name]} {share:.3f}" for name, share in line["accuracy"].items()]
        found.append(f"Test accuracy: {'; '.join(shares)}.")
    for name, value in line.get("differences", {}).items():
        of_measure = {f", {name}": value} if isinstance(value, dict) else {"": {name: value}}
        for measure, by_peer in of_measure.items():
            for peer, (difference, low, high, *_) in by_peer.items():
                points = f"{100 * difference:+.2f} points"
                interval = f"(95% {100 * low:+.2f} to {100 * high:+.2f})"
                found.append(f"Ours minus {NAMES[peer]}{measure}: {points} {interval}.")
    if "texts_that_differ" in line:
        found.append(f"Texts with other ids: {max(line['texts_that_differ'].values())}.")
    return found


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _rate(values: Sequence[float]) -> str:
    rate = _median(values)
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--history", type=Path, default=HERE / "history.jsonl")
    parser.add_argument("--to", type=Path, default=HERE / "RESULTS.md")
    given = parser.parse_args()
    given.to.write_text(render(given.history), encoding="utf-8")


if __name__ == "__main__":
    main()
