"""`kerasnlp-lab pretrain`: a BERT from texts, new or continued from another."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasnlp_lab.cli.interrupts import note_what_is_kept
from kerasnlp_lab.cli.json_output import Json, print_json, printing_to_stderr_if
from kerasnlp_lab.cli.options import (
    Cased,
    CheckpointEvery,
    Deterministic,
    Seed,
    Strategy,
    import_tensorflow,
    results_folder,
)
from kerasnlp_lab.cli.rows import TABLE_FORMAT, RowsOptions, rows_options
from kerasnlp_lab.cli.running import connect_workers, is_given, kept_of, stop_on_sigterm
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.paths import our_command

if TYPE_CHECKING:
    from kerasnlp_lab.lab.pretraining import Pretraining

__all__ = ["pretrain"]


@rows_options("text_column", "bad_rows", *TABLE_FORMAT)
def pretrain(
    context: typer.Context,
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files of plain text, tables, folders of these, 'PATTERN*', shards, or - for "
            "standard input.",
            show_default=False,
        ),
    ] = None,
    *,
    config: Annotated[
        str | None,
        typer.Option(
            help="The shape of a new BERT: a name of 'hub list', or a folder or file with a config."
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="The BERT to continue from: a name of 'zoo list' or 'hub list', a folder, or a "
            "run of pretrain.",
        ),
    ] = None,
    vocab: Annotated[
        str | None,
        typer.Option(
            help="A folder with a new BERT's vocabulary (default: learned from the texts)."
        ),
    ] = None,
    vocab_size: Annotated[
        int | None, typer.Option(help="The most pieces to learn (default: 8000).")
    ] = None,
    cased: Cased = False,
    strip_accents: Annotated[
        bool,
        typer.Option("--strip-accents/--keep-accents", help="Strip accents: see 'vocab learn'."),
    ] = False,
    objective: Annotated[
        str | None,
        typer.Option(
            help="mlm (masked words) or mlm+nsp (and the next sentence; the default of a new BERT)."
        ),
    ] = None,
    whole_words: Annotated[
        bool, typer.Option("--whole-words", help="Hide all pieces of a word together.")
    ] = False,
    lines: Annotated[
        str,
        typer.Option(
            help="A line of plain text: sentences (blank lines end documents), documents, or auto."
        ),
    ] = "auto",
    language: Annotated[
        str, typer.Option(help="The language whose rules cut documents into sentences.")
    ] = "en",
    max_length: Annotated[
        int, typer.Option(help="The longest sequence in tokens; texts are packed up to it.")
    ] = 128,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the texts (default: 10; with --from 3).")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps, in place of --epochs.")] = None,
    batch_size: Annotated[int, typer.Option(help="Sequences in a global batch.")] = 32,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="The peak learning rate (default: 5e-4; with --from 1e-4)."),
    ] = None,
    warmup_fraction: Annotated[float, typer.Option(help="Share of the steps that warm up.")] = 0.1,
    dropout: Annotated[float, typer.Option(help="Dropout within the encoder.")] = 0.1,
    held_out: Annotated[
        float, typer.Option(help="Share of the documents to measure the perplexity on.")
    ] = 0.02,
    precision: Annotated[
        str, typer.Option(help="float32, mixed_bfloat16, or auto for the quickest here.")
    ] = "auto",
    rows: RowsOptions,
    output: Annotated[
        Path | None, typer.Option(help="The run directory (default: runs/pretrain-TIME).")
    ] = None,
    checkpoint_every: CheckpointEvery = "5m",
    resume: Annotated[
        Path | None, typer.Option(help="Resume this run directory, with its own settings.")
    ] = None,
    deterministic: Deterministic = False,
    strategy: Strategy = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Pre-train a BERT on texts without labels: a new one, or any other.

    Writes TF Hub modules for 'train --model RUN', and weights for 'fill-mask RUN'.
    """
    if resume is not None:
        _resume(context, resume, strategy, as_json)
        return
    if not texts:
        raise OptionError("name the texts: kerasnlp-lab pretrain TEXTS... --config NAME")
    if strategy == "multi_worker" and output is None:
        raise OptionError("multi_worker needs an --output, the same folder on all workers")
    import_tensorflow()
    from kerasnlp_lab.data.corpus import CorpusSource
    from kerasnlp_lab.lab.pretraining import run_pretraining
    from kerasnlp_lab.lab.pretraining_config import PretrainingConfig

    given = {**context.params, "shape": config, "model": from_, "vocabulary": vocab}
    fields = {one.name for one in dataclasses.fields(PretrainingConfig)}
    settings = PretrainingConfig(**{name: given[name] for name in given if name in fields})
    source = CorpusSource(
        paths=tuple(texts),
        lines=lines,  # type: ignore[arg-type]  # checked when made
        text_columns=tuple(rows.text_column or ()),
        format=rows.table_format(),
        language=language,
        skip_bad_rows=rows.bad_rows == "skip",
    )
    run = results_folder(output, "pretrain")
    _finish(run, strategy, as_json, lambda **to: run_pretraining(settings, source, run, **to))


def _resume(context: typer.Context, run: Path, strategy: str, as_json: bool) -> None:
    """Resumes a run, or prints the results of one that is finished."""
    given = {one.name: one.opts[0] for one in context.command.params if is_given(context, one)}
    wrong = [flag for name, flag in given.items() if name not in ("resume", "strategy", "as_json")]
    if wrong:
        raise OptionError(
            f"--resume takes every setting from the run directory; leave out {', '.join(wrong)}"
        )
    import_tensorflow()
    from kerasnlp_lab.lab.pretraining import resume_pretraining
    from kerasnlp_lab.training import RunDirectory

    directory = RunDirectory(run)
    if (run / "metrics.json").is_file():
        directory.tidy()
        if as_json:
            print_json({"run": run, **directory.read_json("metrics.json")})
        else:
            print(f"this run is finished: {run / 'report.html'}")
        return
    if "strategy" not in given and directory.unfinished:
        strategy = directory.read_json("config.json")["strategy"]["name"]
    _finish(run, strategy, as_json, lambda **to: resume_pretraining(run, strategy=strategy, **to))


def _finish(run: Path, strategy: str, as_json: bool, work: Any) -> None:
    """Does the work, and prints its result; a signal or Ctrl-C leaves a line on what is kept."""
    import rich.console

    with printing_to_stderr_if(as_json):
        connect_workers(strategy)
        stop_on_sigterm(run, "pretrain")
        with note_what_is_kept(lambda: kept_of(run, "pretrain")):
            done: Pretraining = work(console=rich.console.Console(soft_wrap=True))
    if as_json:
        print_json({"run": done.run.path, **dataclasses.asdict(done.result)})
        return
    if done.config.strategy == "multi_worker":  # shows that all workers have the same
        print(f"final state {done.result.final_sha256[:16]}")
    print(done.result.as_text())
    print(f"report: {run / 'report.html'}")
    print(f"fine-tune it: {our_command('train', '--model', run)} --data TABLE")
    print(f"fill masks:   {our_command('fill-mask', run)} 'a text with a [MASK] in it'")
