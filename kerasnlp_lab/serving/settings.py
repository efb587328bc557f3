"""`Settings`: the limits and sizes of the server, which are options of `kerasnlp-lab serve`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import typer

from kerasnlp_lab.errors import check_option

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """The limits and sizes of the server. An option's flag is its field's name with hyphens.

    Raises:
        OptionError: A value is out of range.
    """

    token: Annotated[
        str,
        typer.Option(
            envvar="KERASNLP_LAB_TOKEN",
            help="A bearer token that requests need. Better set the variable: a list of processes "
            "shows options.",
        ),
    ] = ""
    cors: Annotated[
        list[str] | None, typer.Option(help="An origin whose pages may ask; can be repeated.")
    ] = None
    workers: Annotated[int, typer.Option(help="Processes for each model, each with a copy.")] = 1
    threads: Annotated[
        int, typer.Option(help="TensorFlow's threads in each process; 0 for one a core.")
    ] = 0
    parallel_batches: Annotated[
        int, typer.Option(help="Batches that a process computes at a time.")
    ] = 2
    batch_texts: Annotated[int, typer.Option(help="Most texts in a batch.")] = 32
    batch_tokens: Annotated[
        int, typer.Option(help="Most tokens in a batch, about, with padding.")
    ] = 4096
    batch_wait: Annotated[
        float,
        typer.Option(help="Seconds that a batch waits for another text under load."),
    ] = 0.005
    max_queue: Annotated[
        int, typer.Option(help="Most texts that wait for a model; others get status 429.")
    ] = 4096
    max_texts: Annotated[int, typer.Option(help="Most texts in a request.")] = 1024
    max_characters: Annotated[int, typer.Option(help="Most characters in a text.")] = 100_000
    max_body: Annotated[int, typer.Option(help="Most bytes in the body of a request.")] = 8 * 2**20
    timeout: Annotated[float, typer.Option(help="Seconds that a request waits for its answer.")] = (
        60.0
    )
    body_timeout: Annotated[
        float, typer.Option(help="Seconds that the body of a request may take to arrive.")
    ] = 20.0
    drain: Annotated[
        float, typer.Option(help="Seconds that requests are still accepted after SIGTERM.")
    ] = 1.0

    def __post_init__(self) -> None:
        may_be_zero = ("threads", "drain", "batch_wait")
        for name, value in vars(self).items():
            if isinstance(value, int | float):
                least = value < math.inf and (value >= 0 if name in may_be_zero else value > 0)
                expected = "0 or more" if name in may_be_zero else "more than 0"
                check_option("--" + name.replace("_", "-"), value, least, expected)
        enough = self.max_queue >= self.max_texts
        expected = f"at least --max-texts ({self.max_texts}), or a large request never fits"
        check_option("--max-queue", self.max_queue, enough, expected)
        for origin in self.cors or ():
            good = origin == "*" or origin.startswith(("http://", "https://"))
            check_option("--cors", origin, good, "an origin such as https://example.org")
