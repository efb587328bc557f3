"""`run_pretraining`: from texts to a BERT's TF Hub modules, in a run directory."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.build import write_encoder
from kerasnlp_lab.bert.checkpoint import BertCheckpoint
from kerasnlp_lab.bert.checkpoint_writing import write_checkpoint
from kerasnlp_lab.bert.pretraining_network import PretrainingNetwork, pretraining_network
from kerasnlp_lab.bert.vectorizer import HubVectorizer
from kerasnlp_lab.data.corpus import Corpus, CorpusSource, HeldOut, hold_out, open_corpus
from kerasnlp_lab.errors import DataError, RunError
from kerasnlp_lab.lab.claiming import claim_run, say
from kerasnlp_lab.lab.pretraining_config import PretrainingConfig
from kerasnlp_lab.lab.pretraining_origin import Origin, find_origin
from kerasnlp_lab.lab.pretraining_report import PretrainingResult, write_report
from kerasnlp_lab.machine import precision_note
from kerasnlp_lab.paths import did_you_mean_path, user_path, whole_directory
from kerasnlp_lab.text.masking import Masking, MaskingVocabulary
from kerasnlp_lab.text.pipeline import tokenize_flat
from kerasnlp_lab.text.pretraining_batches import PretrainingBatches
from kerasnlp_lab.text.sequences import TokenSequences, pack_sequences
from kerasnlp_lab.training import RunDirectory, make_strategy
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.training.fit import Fit
from kerasnlp_lab.training.history import History
from kerasnlp_lab.training.interval import Interval
from kerasnlp_lab.training.pretraining_plan import (
    PretrainingPlan,
    reports_and_steps,
    total_steps,
)
from kerasnlp_lab.training.run_directory import package_versions
from kerasnlp_lab.training.steps import explain_lost_worker
from kerasnlp_lab.training.strategy import is_chief

__all__ = ["Pretraining", "resume_pretraining", "run_pretraining"]

NO_LIMIT = 1 << 30  # sentences are cut when they are packed, not when they are tokenized
HELD_OUT_DOCUMENTS = 8  # at least, so that pairs can be drawn from them


@dataclass(frozen=True, eq=False)
class Pretraining:
    """A finished pre-training.

    Args:
        run: Its directory, with TF Hub modules in preprocess/ and encoder/, and the files of
            Hugging Face's BertForPreTraining in checkpoint/.
        config: The settings.
        result: The course of the training, and the measures on held-out texts.
    """

    run: RunDirectory
    config: PretrainingConfig
    result: PretrainingResult


def run_pretraining(
    config: PretrainingConfig,
    texts: CorpusSource,
    output: str | Path,
    *,
    console: rich.console.Console | None = None,
) -> Pretraining:
    """Pre-trains a BERT on texts and writes a run directory.

    If the run directory holds an unfinished pre-training with the same settings, it resumes that.

    Args:
        config: The settings.
        texts: The files with the texts.
        output: The run directory: new, empty, or of an unfinished pre-training.
        console: Where to show progress; None shows nothing.

    Raises:
        KerasnlpLabError: Any of the mistakes that a user can mend.

    Source: Devlin et al. 2019, https://arxiv.org/abs/1810.04805; on a domain's texts,
    Gururangan et al. 2020, https://arxiv.org/abs/2004.10964.
    """
    path = user_path(output)
    if (path / "metrics.json").is_file():  # said before a large corpus is read
        raise RunError(f"{output} already exists; remove it, or name another --output")
    strategy = make_strategy(config.strategy)
    origin = find_origin(config)
    corpus = open_corpus(texts, sentences_needed=config.pairs)
    for note in corpus.notes:
        say(console, note)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.seed)
    record = _record(config, origin, corpus, strategy)
    with explain_lost_worker(strategy), contextlib.ExitStack() as stack:
        run = stack.enter_context(claim_run(output, record, strategy, console))
        folder = run.path
        if not is_chief(strategy):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        split = hold_out(corpus, config.held_out, config.seed, least=HELD_OUT_DOCUMENTS)
        checkpoint = _checkpoint(origin, split, folder / "preprocess", config, console)
        say(console, precision_note(config.precision))
        text = HubVectorizer(str(folder / "preprocess"), NO_LIMIT)
        batches = _batches(text, split, config, console)
        with strategy.scope():
            network = pretraining_network(
                checkpoint,
                next_sentence=config.pairs,
                precision=config.precision,
                dropout=config.dropout,
                seed=config.seed,
            )
        plan = _plan(network, batches, text, config, record)
        for line in _what_it_takes(plan, network, config):
            say(console, line)
        result = _train(plan, run, config, console)
        if is_chief(strategy):
            _write_modules(network, run.path)
            write_report(run, record, plan, result, text.vocabulary())
    return Pretraining(run, config, result)


def resume_pretraining(
    path: str | Path,
    *,
    strategy: str | None = None,
    console: rich.console.Console | None = None,
) -> Pretraining:
    """Resumes a pre-training that was stopped, from its directory alone.

    Args:
        path: The run directory.
        strategy: A strategy other than the one that it was started with.
        console: Where to show progress; None shows nothing.

    Raises:
        RunError: It is no unfinished pre-training, or the texts have changed.
        KerasnlpLabError: Any of the mistakes that a user can mend.
    """
    run = RunDirectory(user_path(path))
    if not run.path.exists():
        raise RunError(f"there is no run directory {path}{did_you_mean_path(run.path)}")
    if not run.unfinished:
        raise RunError(f"{run.path} is not an unfinished pre-training: there is nothing to resume")
    content = run.read_json("config.json")
    if "pretraining" not in content:
        raise RunError(f"{run.path} is the run of 'train', not of 'pretrain'; resume it with train")
    try:
        may_change = {
            "strategy": content["strategy"]["name"] if strategy is None else strategy,
            "checkpoint_every": content["checkpoint_every"],
        }
        config = PretrainingConfig.from_json(content["pretraining"] | may_change)
        texts = CorpusSource.from_json(content["dataset"]["source"])
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{path} was started by a version whose runs this one cannot resume ({error}); "
            "pre-train again"
        ) from error
    return run_pretraining(config, texts, path, console=console)


def _record(
    config: PretrainingConfig, origin: Origin, corpus: Corpus, strategy: tf.distribute.Strategy
) -> dict[str, Any]:
    """Returns the content of config.json; `fine_tune` is what 'train --model RUN' begins with."""
    settings = config.to_json()
    fine_tune = {"recipe": dataclasses.asdict(origin.recipe), "pooling": origin.pooling}
    return {
        "pretraining": {
            name: value
            for name, value in settings.items()
            if name not in ("strategy", "checkpoint_every")
        },
        "origin": origin.described,
        "fine_tune": fine_tune,
        "dataset": {"source": corpus.source.to_json(), "fingerprint": corpus.fingerprint},
        "strategy": {"name": config.strategy, "replicas": strategy.num_replicas_in_sync},
        "checkpoint_every": config.checkpoint_every,
        "versions": package_versions(),
    }


def _checkpoint(
    origin: Origin,
    split: HeldOut,
    preprocess: Path,
    config: PretrainingConfig,
    console: rich.console.Console | None,
) -> BertCheckpoint:
    """Returns the first weights, and writes the preprocessing module unless it is there."""
    known = None
    if preprocess.is_dir():  # of a process that was stopped
        file = preprocess / "assets" / "vocab.txt"
        known = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    checkpoint = origin.checkpoint(known, split.training)
    if known is None:
        if config.is_new:
            say(console, _on_vocabulary(len(checkpoint.vocabulary), config.vocab_size))
        with whole_directory(preprocess) as target:
            origin.write_preprocessing(checkpoint, target)
    return checkpoint


def _on_vocabulary(size: int, wanted: int | None) -> str:
    fewer = wanted is not None and size < wanted
    more = f", fewer than {wanted:,}: the texts have no more" if fewer else ""
    return f"a vocabulary of {size:,} pieces{more}"


def _batches(
    text: HubVectorizer,
    split: HeldOut,
    config: PretrainingConfig,
    console: rich.console.Console | None,
) -> tuple[PretrainingBatches, PretrainingBatches]:
    """Returns the batches of the training texts, and of those that are held out."""
    vocabulary = MaskingVocabulary.of_pieces(text.vocabulary())

    def batches(documents: Iterator[list[str]], pairs: bool) -> PretrainingBatches:
        sequences: TokenSequences = pack_sequences(
            lambda sentences: tokenize_flat(text, sentences),
            documents,
            max_tokens=config.max_length,
            pairs=pairs,
            separator=vocabulary.separator,
        )
        masking = Masking(whole_words=config.whole_words)
        return PretrainingBatches(sequences, vocabulary, masking, seed=config.seed)

    train = batches(split.training(), config.pairs)
    try:
        return train, batches(split.validation(), config.pairs)
    except DataError:
        if not config.pairs:
            raise
    say(console, "the held-out documents have no pairs: only masked words are measured on them")
    return train, batches(split.validation(), False)


def _plan(
    network: PretrainingNetwork,
    batches: tuple[PretrainingBatches, PretrainingBatches],
    text: HubVectorizer,
    config: PretrainingConfig,
    record: Mapping[str, Any],
) -> PretrainingPlan:
    train, validation = batches
    total = total_steps(len(train.sequences), config.batch_size, config.epochs, config.steps)
    reports, steps = reports_and_steps(total)
    return PretrainingPlan(
        network,
        train,
        validation,
        config.recipe(reports),
        steps,
        Masking.share,
        config.seed,
        text.fingerprint(),
        json.dumps([record["pretraining"], record["dataset"]["fingerprint"]], sort_keys=True),
    )


def _what_it_takes(
    plan: PretrainingPlan, network: PretrainingNetwork, config: PretrainingConfig
) -> Iterator[str]:
    """Yields lines on tokens, steps and disk, before the training starts."""
    train, validation = plan.train.sequences, plan.validation.sequences
    tokens = len(train) * plan.tokens_per_sequence
    steps = plan.recipe.epochs * plan.steps
    passes = steps * plan.batch_size / len(train)
    yield (
        f"{tokens:,.0f} tokens in {len(train):,} sequences, and {len(validation):,} sequences held "
        f"out; {steps:,} steps of {plan.batch_size} sequences are {passes:,.1f} passes"
    )
    if train.pairs and train.paired_rows < len(train):
        yield (
            f"{len(train) - train.paired_rows:,} sequences have one sentence: they teach masked "
            "words, but not the next sentence"
        )
    parameters = sum(int(np.prod(one.shape)) for one in network.network.trainable_weights)
    # Two checkpoints of weights and two moments each, and the best weights twice.
    megabytes = 4 * parameters * (2 * 3 + 2) / 1e6
    yield f"{parameters:,} parameters; checkpoints take up to {megabytes:,.0f} MB on disk meanwhile"


def _train(
    plan: PretrainingPlan,
    run: RunDirectory,
    config: PretrainingConfig,
    console: rich.console.Console | None,
) -> PretrainingResult:
    writes = is_chief(plan.learner.network.distribute_strategy)
    if writes:
        History.clear(run.path)
    checkpoints = Checkpoints(run.checkpoints, writes=writes)
    shown = console if writes else None
    fit = Fit(plan, run.path, checkpoints, Interval(config.checkpoint_every), shown, keeps=True)
    return PretrainingResult.of(fit.run(), plan)


def _write_modules(network: PretrainingNetwork, folder: Path) -> None:
    """Writes the weights as a TF Hub module in encoder/, and for Hugging Face in checkpoint/."""
    checkpoint = network.checkpoint()
    writers: dict[str, Callable[[BertCheckpoint, Path], None]] = {
        "checkpoint": write_checkpoint,
        "encoder": write_encoder,
    }
    for part, write in writers.items():
        shutil.rmtree(folder / part, ignore_errors=True)  # left by a process that was killed since
        with whole_directory(folder / part) as target:
            write(checkpoint, target)
