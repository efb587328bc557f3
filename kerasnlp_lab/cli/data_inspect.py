"""`kerasnlp-lab data inspect`: problems in a table, and a cleaned copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasnlp_lab.cli.interrupts import note_what_is_kept
from kerasnlp_lab.cli.json_output import Json, print_json
from kerasnlp_lab.cli.options import TaskName, import_tensorflow, results_folder
from kerasnlp_lab.cli.rows import COLUMNS_AND_TABLES, TABLE_FORMAT, RowsOptions, rows_options
from kerasnlp_lab.errors import HubError, check_option, first_line

if TYPE_CHECKING:
    import numpy as np

    from kerasnlp_lab.data.inspection.lengths import Lengths

__all__ = ["inspect"]

LONGEST = 1_000_000  # tokens are only counted, so none is cut


@rows_options(*COLUMNS_AND_TABLES, "validation_fraction", "split_seed", *TABLE_FORMAT)
def inspect(
    *,
    table: Annotated[Path, typer.Argument(help="A table, as for 'train --data'.")],
    task: TaskName = "classification",
    rows: RowsOptions,
    model: Annotated[
        str,
        typer.Option(help="The model whose word pieces to count: see 'zoo list' and 'hub list'."),
    ] = "minilm_l6_h384",
    max_length: Annotated[
        list[int] | None,
        typer.Option(
            help="Report the share of texts that this cuts; several (default: 25 64 128 256)."
        ),
    ] = None,
    show: Annotated[int, typer.Option(help="Findings of each kind to print.")] = 5,
    as_json: Json = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Also write a cleaned copy and a list of the changes.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="The folder for results (default: runs/inspect-TIME).")
    ] = None,
) -> None:
    """Look for problems in a table or in annotation files. They are never changed.

    Reports duplicates, texts in two splits or with two labels, likely wrong labels, merged rows,
    encoding damage and mixed scripts; class balance, and how many texts a maximum length cuts. With
    --task entities also tags that break their scheme, spans that begin or end inside a word, and
    names with several types; with --task generation texts with two target texts. The splits are
    those that 'train --data' makes with the same --split-seed.
    """
    import_tensorflow()
    import rich.console

    from kerasnlp_lab.data import inspection
    from kerasnlp_lab.paths import check_new
    from kerasnlp_lab.tasks.registry import find_task

    check_option("--show", show, show >= 0, "0 or more")
    folder = results_folder(output, "inspect")
    check_new(folder, "name another --output")
    messages = rich.console.Console(stderr=True, soft_wrap=True)
    annotation = find_task(task).annotation
    settings = rows.table_settings(annotation)
    inspect_rows: Callable[..., inspection.Inspection] = inspection.inspect_table
    if annotation in ("spans", "target_texts"):
        check_option("--fix", fix, not fix, f"left out for {task}")
    if annotation == "spans":
        inspect_rows = inspection.inspect_entities
    if max_length:
        settings["max_lengths"] = max_length
    with messages.status("starting") as status:
        try:
            settings |= _token_counter(model)
        except HubError as error:
            reason = f"words only: {model} is not available ({first_line(error)})"
            messages.print(reason, markup=False, highlight=False)
        found = inspect_rows(table, on_step=lambda step: status.update(step), **settings)
        cleaned = inspection.clean(found.data) if fix else None
    with note_what_is_kept(lambda: f"what was written of {folder} is incomplete; remove it"):
        inspection.write_inspection(found, folder, cleaned)
    if as_json:
        changed = None
        if cleaned is not None:
            changed = {
                "rows": cleaned.rows,
                "changes": len(cleaned.changes),
                "files": [folder / name for name in (*cleaned.files, "changes.csv")],
            }
        print_json({"folder": folder, **found.as_dict(), "cleaned": changed})
        return
    console = rich.console.Console()
    inspection.print_summary(found, console, show)
    if "count_tokens" in settings:
        _print_long_texts(model, found.lengths, bool(rows.second_text_column))
    if cleaned is not None:
        print(f"\ncleaned: {cleaned.rows} rows are left, {len(cleaned.changes)} changes")
        if cleaned.other_columns:
            print(f"columns that are not in the copy: {', '.join(cleaned.other_columns)}")
        print("\n".join(str(folder / name) for name in (*cleaned.files, "changes.csv")))
    print(f"\nall findings: {folder / 'findings.csv'}")


def _print_long_texts(model: str, lengths: Sequence[Lengths], pairs: bool) -> None:
    """Prints how many texts are longer than the model reads at a time, if any are."""
    from kerasnlp_lab.zoo import find_model

    most = find_model(model).options.max_length
    share = lengths[-1].cut.get(most) if lengths else None
    if share:
        texts = "pairs" if pairs else "texts"
        advice = (
            "the longer text is cut first; 'train --max-length' reads more"
            if pairs
            else "'train --long-texts' says what is read of them"
        )
        print(
            f"\n{model} reads {most} tokens at a time by default, and {share:.2%} of the {texts} "
            f"are longer: {advice}"
        )


def _token_counter(model: str) -> dict[str, Any]:
    """Returns the arguments that make an inspection count a model's tokens.

    Raises:
        HubError: The model is not available.
        UnknownNameError: There is no such model.
    """
    from kerasnlp_lab.data.pairs import is_pair
    from kerasnlp_lab.text import tokenize
    from kerasnlp_lab.zoo import find_model

    entry = find_model(model)
    entry.prepare()

    def count(texts: Sequence[str]) -> np.ndarray:
        options, _ = entry.resolve(entry.options, texts, None)
        vectorizer = entry.build_text(options)
        vectorizer.max_length = LONGEST
        if len(texts) and is_pair(texts[0]):
            vectorizer.read_pairs()
        vectorizer.adapt(texts)
        return tokenize(vectorizer, texts).lengths + vectorizer.special_tokens

    unit = "word pieces" if entry.has_encoder else f"tokens of {model}"
    return {"count_tokens": count, "token_unit": unit}
