"""`RowsOptions`: the options that name the rows of a command, and loading them."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasnlp_lab.cli.option_groups import option_group, options_of
from kerasnlp_lab.cli.options import DataDir, split_at_commas
from kerasnlp_lab.errors import OptionError, check_option

if TYPE_CHECKING:
    from kerasnlp_lab.data import Annotation, TextDataset
    from kerasnlp_lab.data.tables import TableFormat
    from kerasnlp_lab.lab import Preset

__all__ = ["ENTITIES", "TABLE_FORMAT", "RowsOptions", "rows_options"]

ENTITIES = ("joiner", "tag_names")  # of annotation files alone
READ_COLUMNS = (
    "text_column",
    "second_text_column",
    "label_column",
    "label_separator",
    "label_names",
    "target_column",
)
CLASSES = ("max_classes", "rare_classes", "rare_minimum")
LABELS = ("label_column", "label_separator", "label_names", *CLASSES)
COLUMNS = (*READ_COLUMNS, *CLASSES, "delimiter", "quoting", "no_header")
COLUMNS_AND_TABLES = (
    *READ_COLUMNS,
    "validation_data",
    "test_data",
    "test_fraction",
    *CLASSES,
    *ENTITIES,
)
TABLE_FORMAT = ("delimiter", "encoding", "quoting", "no_header")
_DELIMITER_NAMES = {"tab": "\t", "\\t": "\t", "\\n": "\n"}  # which a shell cannot pass easily
_TASKS = {
    "labels": "classification",
    "label_sets": "multi_label",
    "spans": "entities",
    "target_texts": "generation",
}


@dataclass(frozen=True)
class RowsOptions:
    """The options that name a dataset or a table, its columns and its splits.

    An option's flag is its field's name with hyphens. Options that a command does not have
    keep their defaults.
    """

    dataset: Annotated[str | None, typer.Option(help="The dataset: see 'data list'.")] = None
    data: Annotated[
        Path | None,
        typer.Option(
            help="A table of your own instead: a file such as .csv, .jsonl, .parquet or .xlsx; "
            "several by 'PATTERN*' or a folder; a folder of texts for each class; - for standard "
            "input; or a folder that 'data shard' wrote."
        ),
    ] = None
    text_column: Annotated[
        list[str] | None, typer.Option(help="The table's column of texts; several are joined.")
    ] = None
    second_text_column: Annotated[
        str | None,
        typer.Option(help="The column of the second texts, where texts are pairs."),
    ] = None
    label_column: Annotated[
        list[str] | None,
        typer.Option(
            help="The table's column of labels. Several labels: also a column of 0 and 1 for each, "
            "by repeating the option or by a pattern such as 'label_*'."
        ),
    ] = None
    label_separator: Annotated[
        str | None,
        typer.Option(help="Several labels: what stands between them in a cell (default: a comma)."),
    ] = None
    label_names: Annotated[
        Path | None,
        typer.Option(help="A file with the names of labels that are numbers, from 0, one a line."),
    ] = None
    target_column: Annotated[
        str | None, typer.Option(help="Generation: the column of the texts to write.")
    ] = None
    validation_data: Annotated[Path | None, typer.Option(help="A table to validate on.")] = None
    test_data: Annotated[Path | None, typer.Option(help="A table to test on.")] = None
    test_fraction: Annotated[
        float | None, typer.Option(help="Share of a table's rows to test on (default: 0.15).")
    ] = None
    validation_fraction: Annotated[
        float | None,
        typer.Option(
            help="Share of the rows to validate on (default: the dataset's; 0.15 for a table)."
        ),
    ] = None
    split_seed: Annotated[
        int | None,
        typer.Option(help="Which rows are held out (default: the dataset's, mostly 0)."),
    ] = None
    bad_rows: Annotated[
        str,
        typer.Option(
            help="stop at a row that cannot be used, or skip it (a run lists it in rejects.csv)."
        ),
    ] = "stop"
    leaks: Annotated[
        str,
        typer.Option(help="keep training rows whose text is in the test rows too, or drop them."),
    ] = "keep"
    data_dir: DataDir = None
    delimiter: Annotated[
        str | None, typer.Option(help="The character between a table's cells, or 'tab'.")
    ] = None
    encoding: Annotated[
        str | None, typer.Option(help="A table's encoding: utf-8, utf-16, cp1252 and so on.")
    ] = None
    quoting: Annotated[
        str | None, typer.Option(help="Quotation marks: 'quoted' encloses cells, 'none' is text.")
    ] = None
    no_header: Annotated[
        bool | None,
        typer.Option("--no-header", help="The first line is a row; columns are numbers from 1."),
    ] = None
    max_classes: Annotated[
        int | None, typer.Option(help="The most classes that a table may have (default: 1000).")
    ] = None
    rare_classes: Annotated[
        str | None,
        typer.Option(
            help="Classes with too few rows: stop, keep them in the training rows alone, drop, or "
            "merge=NAME into one (default: stop; with several labels a text: keep)."
        ),
    ] = None
    rare_minimum: Annotated[
        int | None,
        typer.Option(help="The rows that a class needs (default: what the splits need)."),
    ] = None
    joiner: Annotated[
        str | None,
        typer.Option(
            help="Entities: what stands between tokens: space, none or auto (default: auto, a "
            "space except in scripts without spaces)."
        ),
    ] = None
    tag_names: Annotated[
        str | None,
        typer.Option(help="Entities: names of tags that are numbers, from 0: O,B-PER,I-PER."),
    ] = None

    def or_of_preset(self, preset: Preset) -> RowsOptions:
        """Returns the options with a preset's dataset and split seed where none are given."""
        dataset = preset.dataset if self.data is None else None
        seed = preset.split_seed if self.split_seed is None else self.split_seed
        return dataclasses.replace(self, dataset=self.dataset or dataset, split_seed=seed)

    def held_out_by(self, task: str = "classification") -> str:
        """Returns what rules a cross-validation of the rows out; "" if nothing does."""
        from kerasnlp_lab.data.shards import is_shards
        from kerasnlp_lab.data.tables import split_entries

        if task != "classification":
            return f"--task {task}"
        if self.data is None:
            return f"--dataset {self.dataset}"
        if self.leaks != "keep":
            return "--leaks drop"
        if is_shards(self.data) or (self.data.is_dir() and split_entries(self.data)):
            return f"{self.data}, whose rows are split already"
        given = self._given("validation_data", "validation_fraction", "test_fraction")
        return " and ".join(map(_flag, given))

    def in_folds(self) -> RowsOptions | None:
        """Returns the options for a cross-validation of a table, None if rows are held out.

        All rows of the table are then trained on and validated on. They are tested on too, unless
        there is a table for that.
        """
        if self.held_out_by():
            return None
        test = self.test_data or self.data
        return dataclasses.replace(self, validation_data=self.data, test_data=test)

    def load(self, annotation: Annotation = "labels") -> TextDataset:
        """Loads the dataset, the table, the annotation files or the shards.

        Args:
            annotation: What the rows must have.

        Raises:
            OptionError: Neither a dataset nor a table is named, or both are, an option does not
                fit what is named, or the rows have another annotation.
        """
        check_option("--leaks", self.leaks, self.leaks in ("keep", "drop"), "keep or drop")
        self.check_source()
        if self.data is None:
            data = self._load_dataset()
        else:
            from kerasnlp_lab.data.shards import is_shards

            shards = is_shards(self.data)
            data = self._load_shards() if shards else self._load_files(annotation)
        if data.annotation != annotation:
            task, has = _TASKS[data.annotation], data.annotation.replace("_", " ")
            raise OptionError(f"{data.name} has {has} for its texts: say --task {task}")
        return data if self.leaks == "keep" else _drop_leaks(data)

    def check_source(self) -> None:
        """Raises OptionError unless either a dataset or a table is named."""
        if (self.dataset is None) == (self.data is None):
            raise OptionError("say either --dataset NAME (see 'data list') or --data FILE")
        if self.bad_rows not in ("stop", "skip"):
            raise OptionError(f"--bad-rows must be stop or skip, got {self.bad_rows!r}")
        if self.data is None:
            for name in self._given(*COLUMNS_AND_TABLES, *TABLE_FORMAT):
                raise OptionError(
                    f"{_flag(name)} belongs to a table of your own: "
                    "say --data FILE in place of --dataset"
                )

    def check_lines(self) -> None:
        """Raises OptionError for an option of a table: lines of --texts have an encoding alone."""
        for field in dataclasses.fields(self):
            if field.name != "encoding" and getattr(self, field.name) != field.default:
                raise OptionError(
                    f"{_flag(field.name)} does not go with --texts, which are lines: leave one out"
                )

    def table_settings(self, annotation: Annotation = "labels") -> dict[str, Any]:
        """Returns the given arguments of `load_table` or `load_entities`, except the table.

        Args:
            annotation: "spans" for those of `load_entities`.

        Raises:
            OptionError: A split is given both as a table and as a share of the rows, or an option
                belongs to another annotation.
        """
        if annotation == "spans":
            for name in self._given(*COLUMNS):
                raise OptionError(
                    f"{_flag(name)} belongs to tables of texts with labels; leave it out"
                )
        else:
            for name in self._given(*ENTITIES):
                raise OptionError(f"{_flag(name)} belongs to entities: say --task entities")
        for part in ("validation", "test"):
            if len(self._given(f"{part}_data", f"{part}_fraction")) == 2:
                raise OptionError(f"say either --{part}-data or --{part}-fraction, not both")
        settings = {
            **self.columns(annotation),
            "validation": self.validation_data,
            "test": self.test_data,
            "validation_fraction": self.validation_fraction,
            "test_fraction": self.test_fraction,
            "seed": self.split_seed,
            "format": self.table_format() if self._given(*TABLE_FORMAT) else None,
            **{name: getattr(self, name) for name in CLASSES},
            "joiner": self.joiner,
            "tag_names": split_at_commas(self.tag_names) if self.tag_names else None,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def columns(self, annotation: Annotation = "labels") -> dict[str, Any]:
        """Returns the given arguments of `load_table` about columns.

        Raises:
            OptionError: An option belongs to another annotation.
            DataError: The names of labels cannot be read.
        """
        from kerasnlp_lab.data.unlabelled import read_names

        columns = self.label_column or []
        flags = len(columns) > 1 or bool({*"*?"} & {*"".join(columns)})
        of_cells = (
            ("label_separator", "label_names") if flags and annotation == "label_sets" else ()
        )
        for name in self._given(*of_cells):
            raise OptionError(
                f"{_flag(name)} belongs to a column of labels, and there are columns of 0 and 1: "
                "leave it out"
            )
        several = ["several columns of labels belong"] if flags else []
        several += ["--label-separator belongs"] if self.label_separator else []
        if several and annotation != "label_sets":
            raise OptionError(f"{several[0]} to several labels a text: say --task multi_label")
        generated = annotation == "target_texts"
        if self.target_column and not generated:
            raise OptionError("--target-column belongs to texts to write: say --task generation")
        for name in self._given(*LABELS) if generated else ():
            raise OptionError(
                f"{_flag(name)} belongs to labels; leave it out for --task generation"
            )
        separator = self.label_separator
        settings = {
            "text_columns": self.text_column,
            "second_text_column": self.second_text_column,
            "label_column": columns[0] if columns and not flags else None,
            "label_columns": columns if flags else None,
            "label_separator": separator and _DELIMITER_NAMES.get(separator, separator),
            "label_names": self.label_names and read_names(self.label_names),
            "target_column": self.target_column,
            "annotation": annotation if annotation not in ("labels", "spans") else None,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def table_format(self) -> TableFormat:
        """Returns how to read a table; raises OptionError if an option cannot be used."""
        from kerasnlp_lab.data.tables import TableFormat

        delimiter = self.delimiter and _DELIMITER_NAMES.get(self.delimiter, self.delimiter)
        return TableFormat(delimiter, self.encoding, self.quoting, not self.no_header)

    def _given(self, *names: str) -> list[str]:
        return [name for name in names if getattr(self, name) is not None]

    def _load_dataset(self) -> TextDataset:
        from kerasnlp_lab.data import load_dataset

        return load_dataset(
            str(self.dataset),
            data_dir=self.data_dir,
            validation_fraction=self.validation_fraction,
            seed=self.split_seed,
        )

    def _load_files(self, annotation: Annotation) -> TextDataset:
        from kerasnlp_lab.data import load_entities, load_table

        load = load_entities if annotation == "spans" else load_table
        skip = self.bad_rows == "skip"
        data = load(str(self.data), skip_bad_rows=skip, **self.table_settings(annotation))
        for note in data.notes:
            print(f"{self.data}: {note}", file=sys.stderr)
        return data

    def _load_shards(self) -> TextDataset:
        from kerasnlp_lab.data import load_shards

        fixed = self._given(*COLUMNS_AND_TABLES, *TABLE_FORMAT, "validation_fraction", "split_seed")
        fixed += ["bad_rows"] if self.bad_rows != "stop" else []
        if fixed:
            raise OptionError(
                f"{self.data} is a folder of shards, whose rows were read and split when it was "
                f"written: say {_flag(fixed[0])} to 'kerasnlp-lab data shard'"
            )
        return load_shards(str(self.data))


def rows_options(
    *names: str, without: Sequence[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Returns a decorator that gives a command the options of `RowsOptions`, as ``rows``.

    Args:
        names: Which of them; none for all.
        without: Which of them not.
    """
    wanted = {*(names or (one.name for one in options_of(RowsOptions)))} - {*without}
    options = [one for one in options_of(RowsOptions) if one.name in wanted]
    return option_group("rows", options, RowsOptions)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _drop_leaks(data: TextDataset) -> TextDataset:
    from kerasnlp_lab.data import without_leaks

    clean = without_leaks(data)
    left_out = clean.leaks_left_out
    assert left_out is not None
    print(
        f"left out because their texts are tested on: {left_out.train} rows of "
        f"{len(data.train)} to train on, {left_out.validation} of {len(data.validation)} to "
        "validate on"
    )
    return clean
