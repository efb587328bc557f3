"""`make faults` kills trainings at random moments, resumes them, and compares every bit.

python -m tests.faults.kill_many --kills 50 --hub-kills 6 --seed 0
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.die import MOMENTS
from tests.faults.harness import differences, finish, kill_and_resume
from tests.tiny_bert import write_tiny_checkpoint

TRAIN = ["train", "--dataset", "news_sample", "--epochs", "4", "--batch-size", "64"]
TRAIN += ["--min-steps-per-epoch", "1"]  # 7 steps an epoch, 28 in all: see MOMENTS
EVERY = ["--checkpoint-every", "5steps"]
SMALL = ["--option", "embed_dim=16", "--option", "ff_dim=16"]
SCRATCH = [*TRAIN, *EVERY, "--model", "transformer", *SMALL]
ENTITIES = ["--task", "entities", "--dataset", "news_entities"]
TAGGER = ["train", *ENTITIES, *TRAIN[3:], *EVERY, "--model", "hash_embed_cnn"]
TAGGER += ["--option", "width=16", "--option", "buckets=500", "--batch-size", "16"]
KILLS_A_RUN = 2


def hub(folder: Path) -> list[str]:
    """Returns the command that trains a BERT in TF Hub's format, first frozen, then fine-tuned."""
    from kerasnlp_lab.bert import build_bert_modules

    modules = folder / "modules"
    modules.mkdir()
    build_bert_modules(write_tiny_checkpoint(folder / "tiny"), modules, do_lower_case=True)
    lengths = ["--max-length", "32", "--frozen-epochs", "2", "--learning-rate", "1e-3"]
    return [*TRAIN, *EVERY, "--model", str(modules), "--encoder", "reopened", *lengths]


def pretraining(folder: Path) -> list[str]:
    """Returns the command that pre-trains a tiny BERT on pairs."""
    bert, texts = write_tiny_checkpoint(folder / "bert", positions=32), folder / "texts.txt"
    lines = "the cat sat . a dog ran\nthe dog sat\n\noil stock vote\nwar , vote !\n\n"
    texts.write_text(lines * 20)
    arguments = ["pretrain", str(texts), "--config", str(bert), "--vocab", str(bert), *EVERY]
    return [*arguments, "--max-length", "16", "--steps", "24", "--batch-size", "4"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--hub-kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    began = time.monotonic()
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = {
            "from scratch": (SCRATCH, options.kills),
            "hub": (hub(folder), options.hub_kills),
        }
        for kind, (arguments, kills) in jobs.items():
            wrong += _job(kind, arguments, kills, folder / kind.replace(" ", "_"), rng)
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if wrong else 0)


def _job(kind: str, arguments: list[str], kills: int, folder: Path, rng: random.Random) -> int:
    """Kills and compares trainings, and returns the number that ended differently."""
    folder.mkdir()
    finish([*arguments, "--output", str(folder / "whole")])
    left, hits, wrong = kills, 0, 0
    with ThreadPoolExecutor(2) as pool:
        while hits < kills:
            plans = []
            for _ in range(-(-left // KILLS_A_RUN)):
                moments = rng.choices(list(MOMENTS), k=KILLS_A_RUN)
                plans.append([(one, rng.randint(1, MOMENTS[one])) for one in moments])

            def play(number: int, plan: list[tuple[str, int]]) -> tuple[list[str], list[str]]:
                run = Path(tempfile.mkdtemp(dir=folder)) / str(number)
                hit = kill_and_resume(arguments, run, plan)
                return hit, differences(folder / "whole", run)

            for hit, different in pool.map(play, range(len(plans)), plans):
                if not hit or hits >= kills:
                    continue
                hits += len(hit)
                wrong += len(hit) if different else 0
                verdict = f"differs in {', '.join(different)}" if different else "bit-equal"
                print(f"{kind}: killed at {'; '.join(hit)}: {verdict}", flush=True)
            left = kills - hits
    print(f"{kind}: {hits - wrong} of {hits} kills ended bit-equal", flush=True)
    return wrong


if __name__ == "__main__":
    main()
