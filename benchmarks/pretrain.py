"""How fast a BERT is pre-trained on a text file, and how well after the same tokens.

CORPUS is a text file, a document a line. Two sizes: small_bert's L-4 H-128 A-2 from nothing, with
8,000 pieces learned from CORPUS, and MiniLM from its weights. The contestants:

  ours                   masked words alone in full sequences, as `kerasnlp-lab pretrain` does
  ours_pairs             masked words and the next sentence; only from nothing
  hugging_face_lines     BertForMaskedLM as run_mlm.py --line_by_line: a document a sequence, padded
                         to its batch, float32
  hugging_face           run_mlm.py's default: blocks of 128 out of all documents joined, float32
  hugging_face_bfloat16  blocks, under bfloat16's autocast where the machine has bfloat16
  model_garden           BertPretrainerV2: static masks by create_pretraining_data, padded to 128,
                         logits at 20 positions, float32; from nothing with the next sentence

Speed: tokens a second, padding not counted, in batches of 32 sequences. Tokenizing, packing and
static masks come before the timed steps, for everyone.

Loss: everyone begins again and sees the same number of tokens, about 1,024 in a step, with the
same learning rates. Then all find the loss of the same hidden tokens in held-out documents.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from bert_contestants import TORCH, hugging_face_at_its_best
from contestant import Contestant, Contestants, Reply
from environments import python_of
from harness import Results, Slices, compare
from history import append, report
from materials import question
from pretraining_materials import LENGTH, SIZES, Document, Size, held_out_rows, read, write_model

BATCH, STEP_TOKENS = 32, 1024  # run_mlm's default batch is 8 sequences: 1,024 tokens of 128 each


@contextmanager
def pretrainers(arguments: argparse.Namespace, size: Size, folder: Path) -> Iterator[Contestants]:
    """Yields all who pre-train a size."""
    common = {"folder": str(folder), "length": LENGTH}
    bfloat16 = hugging_face_at_its_best()["bfloat16"]
    own, peer = "ours_pretraining", "hugging_face_pretraining"
    known: dict[str, tuple[str, str, dict[str, Any]]] = {
        "ours": (own, "", {"next_sentence": False}),
        "ours_pairs": (own, "", {"next_sentence": True}),
        "hugging_face_lines": (peer, TORCH, {"line_by_line": True}),
        "hugging_face": (peer, TORCH, {}),
        "hugging_face_bfloat16": (peer, TORCH, {"bfloat16": bfloat16}),
        "model_garden": ("model_garden_pretraining", "", {"next_sentence": size.new}),
    }
    if not size.new:
        del known["ours_pairs"]
    with Contestants(arguments.threads) as all_of_them:
        for one in arguments.only or known:
            if one in known:
                script, extra, fields = known[one]
                python = python_of(extra) if extra else sys.executable
                all_of_them.start(one, script, python, **common | fields)
        yield all_of_them


def train(one: Contestant, documents: Sequence[Document]) -> Reply:
    """Has a contestant train for one pass over documents."""
    return one.ask("train", documents=list(documents))


def speeds(
    arguments: argparse.Namespace,
    size: Size,
    contestants: Contestants,
    documents: Sequence[Document],
) -> Results:
    """Has all contestants train in turns, and returns tokens a second."""
    for one in contestants:
        one.ask("start", seed=0, steps=10_000, learning_rate=size.learning_rate, batch=BATCH)
    results = compare(
        contestants,
        Slices(documents, arguments.texts),
        train,
        rounds=arguments.rounds,
        least=4 * BATCH,
        multiple=BATCH,
    )
    results.rates = {
        name: [reply["tokens"] / reply["seconds"] for reply in replies]
        for name, replies in results.replies.items()
    }
    return results


def losses(
    arguments: argparse.Namespace,
    size: Size,
    contestants: Contestants,
    documents: Sequence[Document],
    rows: list[dict[str, list[int]]],
    sequence_tokens: dict[str, float],
) -> dict[str, list[float]]:
    """Has all contestants train new models, and returns the losses of held-out rows, one a seed.

    Everyone sees the same number of tokens, and in a step as nearly as whole sequences allow.

    Args:
        arguments: The command's.
        size: What is trained.
        contestants: Who trains.
        documents: To train on.
        rows: The held-out rows.
        sequence_tokens: The mean length of each contestant's sequences, without padding.
    """
    found: dict[str, list[float]] = {}
    tokens = STEP_TOKENS * (arguments.steps or size.steps)
    of_a_document = statistics.mean(len(row["ids"]) for row in rows)
    count = math.ceil(2 * tokens / of_a_document)  # enough for all, and no more to tokenize
    for seed in range(arguments.seeds):
        order = np.random.default_rng(seed).permutation(len(documents))
        chosen = [documents[row] for row in order[:count]]
        for one in list(contestants)[:: 1 if seed % 2 == 0 else -1]:
            batch = round(STEP_TOKENS / sequence_tokens[one.name])
            steps = round(tokens / (batch * sequence_tokens[one.name]))
            rate = size.learning_rate
            one.ask("start", seed=seed, steps=steps, learning_rate=rate, batch=batch)
            trained = one.ask("train", documents=chosen, steps=steps)
            loss = one.ask("loss", rows=rows)["loss"]
            found.setdefault(one.name, []).append(loss)
            print(
                f"seed {seed}: {one.name:22} loss {loss:.4f} after {trained['tokens']} tokens in "
                f"{trained['steps']} steps, {trained['seconds']:.1f} s",
                flush=True,
            )
    return found


def show(found: dict[str, list[float]]) -> None:
    """Prints each contestant's mean loss, and its difference from ours with two standard errors."""
    for name, values in found.items():
        difference = ""
        if name != "ours" and len(values) > 1 and "ours" in found:
            paired = [other - own for own, other in zip(found["ours"], values, strict=True)]
            error = statistics.stdev(paired) / math.sqrt(len(paired))
            difference = f", {statistics.mean(paired):+.4f} +- {2 * error:.4f} from ours"
        print(f"{name:22} held-out loss {statistics.mean(values):.4f}{difference}")


def compare_size(arguments: argparse.Namespace, name: str, documents: list[Document]) -> None:
    """Compares all contestants on one size, and appends two lines to the history."""
    size = SIZES[name]
    held_out, documents = documents[: arguments.held_out], documents[arguments.held_out :]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "bert")
        write_model(name, documents, folder)
        rows = held_out_rows(held_out, folder)
        with pretrainers(arguments, size, folder) as contestants:
            results = speeds(arguments, size, contestants, documents)
            last = {one: replies[-1] for one, replies in results.replies.items()}
            report(
                arguments,
                contestants,
                results,
                unit="tokens/s",
                dataset=name,
                texts_per_second={
                    one: [results.counts[one] / reply["seconds"] for reply in replies]
                    for one, replies in results.replies.items()
                },
                preparing={one: reply["preparing"] for one, reply in last.items()},
            )
            if not arguments.seeds:
                return
            lengths = {one: reply["tokens"] / reply["sequences"] for one, reply in last.items()}
            found = losses(arguments, size, contestants, documents, rows, lengths)
            show(found)
            append(
                arguments,
                {one.name: one.versions for one in contestants},
                dataset=f"{name}, held-out loss",
                scores={"masked loss": found},
                sequence_tokens=lengths,
            )


def main() -> None:
    parser = question("pretrain", __doc__, rounds=3, texts=640)
    parser.add_argument("corpus", type=Path, help="a text file, a document a line")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--seeds", type=int, default=3, help="for the loss; default 3")
    steps = ", ".join(f"{size.steps} for {name}" for name, size in SIZES.items())
    parser.add_argument("--steps", type=int, help=f"before the loss; default {steps}")
    parser.add_argument("--held-out", type=int, default=256, help="documents; default 256")
    parser.add_argument("--only", nargs="+", default=[], help="contestants; default: all")
    arguments = parser.parse_args()
    documents = read(arguments.corpus)
    arguments.corpus = arguments.corpus.name
    for name in arguments.sizes:
        compare_size(arguments, name, documents)


if __name__ == "__main__":
    main()
