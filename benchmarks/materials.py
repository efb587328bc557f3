"""What contestants are given: texts, and one model in every form that they read."""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from kerasnlp_lab import Classifier, create_classifier, load_dataset, train
from kerasnlp_lab.bert.reopening import checkpoint_of_module
from kerasnlp_lab.data import Split, TextDataset

MINILM = "minilm_l6_h384"
Row = tuple[str, int]


def question(
    name: str, doc: str | None, *, rounds: int = 0, texts: int = 0
) -> argparse.ArgumentParser:
    """Returns a parser with the options that most questions have.

    Args:
        name: The question's, in the history.
        doc: What --help tells.
        rounds: The default of --rounds; 0 where there are none, as of --texts.
        texts: The default of --texts.
    """
    parser = argparse.ArgumentParser(
        prog=f"{name}.py", description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(question=name)
    if rounds:
        parser.add_argument("--rounds", type=int, default=rounds, help=f"default {rounds}")
        what = f"a round, for the fastest; default {texts}"
        parser.add_argument("--texts", type=int, default=texts, help=what)
    parser.add_argument("--threads", type=int, default=2, help="for each contestant; default 2")
    parser.add_argument("--data-dir", type=Path, help="where AG News is; default: as load_dataset")
    history = Path(__file__).parent / "history.jsonl"
    parser.add_argument("--history", type=Path, default=history, help="where results are appended")
    return parser


def ag_news(arguments: argparse.Namespace) -> TextDataset:
    """Returns AG News."""
    return load_dataset("ag_news", data_dir=arguments.data_dir)


def different(*splits: Split) -> list[Row]:
    """Returns the rows of some splits in a fixed random order, each text once."""
    rows = {
        text: int(label)
        for split in splits
        for text, label in zip(split.texts, split.labels, strict=True)
    }
    found = list(rows.items())
    return [found[index] for index in np.random.default_rng(0).permutation(len(found))]


def texts_of(rows: Sequence[Row]) -> list[str]:
    """Returns the texts of rows."""
    return [text for text, _ in rows]


def labels_of(rows: Sequence[Row]) -> list[int]:
    """Returns the label ids of rows."""
    return [label for _, label in rows]


def dataset_of(rows: Sequence[Row], label_names: Sequence[str]) -> TextDataset:
    """Returns rows as a dataset whose validation rows are some of the training rows.

    So the last epoch is the best one: no contestant has rows to choose an epoch on.
    """
    whole = Split(texts_of(rows), labels_of(rows))
    part = whole.take(np.arange(min(32, len(rows))))
    return TextDataset("rows", tuple(label_names), whole, part, part)


def fine_tuned(data: TextDataset, rows: Sequence[Row]) -> Classifier:
    """Returns MiniLM with the head that all peers have (dropout and a dense layer on
    pooled_output), fine-tuned on a few hundred rows."""
    texts = texts_of(rows)
    options = {"pooling": "pooled_output"}
    classifier = create_classifier(MINILM, data.label_names, texts, options=options)
    recipe = dataclasses.replace(
        classifier.entry.recipe, epochs=1, frozen_epochs=0, min_steps_per_epoch=1
    )
    with tempfile.TemporaryDirectory() as folder:
        train(classifier, dataset_of(rows, data.label_names), recipe, folder)
    return classifier


def write_hugging_face(classifier: Classifier, folder: Path, *, head: bool) -> None:
    """Writes a BERT classifier as Hugging Face's BertForSequenceClassification reads it.

    Args:
        classifier: One on a reopened encoder.
        folder: An empty folder.
        head: Whether its head is written too; without, whoever reads it makes a new one.
    """
    checkpoint = checkpoint_of_module(classifier.encoder, classifier.text.handle)
    tensors = {f"bert.{name}": value for name, value in checkpoint.tensors.items()}
    if head:
        kernel, bias = (weight.numpy() for weight in classifier.head.weights)
        tensors |= {"classifier.weight": kernel.T, "classifier.bias": bias}
    tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    safetensors.numpy.save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    config = dataclasses.asdict(checkpoint.config)
    activation = config.pop("activation")
    config |= {
        "model_type": "bert",
        "architectures": ["BertForSequenceClassification"],
        "hidden_act": {"gelu_tanh": "gelu_new"}.get(activation, activation),
        "id2label": dict(enumerate(classifier.label_names)),
        "label2id": {name: index for index, name in enumerate(classifier.label_names)},
    }
    _write(folder / "config.json", config)
    casing = {"do_lower_case": checkpoint.do_lower_case, "strip_accents": checkpoint.strip_accents}
    tokenizer = {"tokenizer_class": "BertTokenizer", "model_max_length": 512, **casing}
    _write(folder / "tokenizer_config.json", tokenizer)
    (folder / "vocab.txt").write_text("\n".join(checkpoint.vocabulary) + "\n", encoding="utf-8")


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
