"""`kerasnlp-lab serve`: an HTTP server for exports, and a page to try them."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from kerasnlp_lab.cli.interrupts import INTERRUPTED
from kerasnlp_lab.cli.json_output import Json, json_line
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.serving.settings import Settings

__all__ = ["serve"]


def serve(
    exports: Annotated[
        list[str],
        typer.Argument(
            metavar="EXPORT...",
            help="Exported models, or folders of versions named 1, 2 and so on; NAME=FOLDER names "
            "a model.",
        ),
    ],
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 for all of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 for any that is free.")] = 8501,
    token: Annotated[
        str,
        typer.Option(
            envvar="KERASNLP_LAB_TOKEN",
            help="A bearer token that requests need. Better set the variable: a process list "
            "shows options.",
        ),
    ] = Settings.token,
    cors: Annotated[
        list[str] | None, typer.Option(help="An origin whose pages may ask; can be repeated.")
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Processes for each model, each with a copy of it.")
    ] = Settings.workers,
    threads: Annotated[
        int, typer.Option(help="TensorFlow's threads in each process; 0 for one a core.")
    ] = Settings.threads,
    parallel_batches: Annotated[
        int, typer.Option(help="Batches that a process computes at a time.")
    ] = Settings.parallel_batches,
    batch_texts: Annotated[int, typer.Option(help="Most texts in a batch.")] = Settings.batch_texts,
    batch_tokens: Annotated[
        int, typer.Option(help="Most tokens in a batch, about, with padding.")
    ] = Settings.batch_tokens,
    batch_wait: Annotated[
        float,
        typer.Option(help="Seconds that a batch waits for more texts while another is computed."),
    ] = Settings.batch_wait,
    max_queue: Annotated[
        int, typer.Option(help="Most texts that wait for a model; others get status 429.")
    ] = Settings.max_queue,
    max_texts: Annotated[int, typer.Option(help="Most texts in a request.")] = Settings.max_texts,
    max_characters: Annotated[
        int, typer.Option(help="Most characters in a text.")
    ] = Settings.max_characters,
    max_body: Annotated[
        int, typer.Option(help="Most bytes in the body of a request.")
    ] = Settings.max_body,
    timeout: Annotated[
        float, typer.Option(help="Seconds that a request waits for its answer.")
    ] = Settings.timeout,
    body_timeout: Annotated[
        float, typer.Option(help="Seconds that the body of a request may take to arrive.")
    ] = Settings.body_timeout,
    drain: Annotated[
        float, typer.Option(help="Seconds that requests are still accepted after SIGTERM.")
    ] = Settings.drain,
    as_json: Json = False,
) -> None:
    """Serve exports over HTTP: TensorFlow Serving's REST interface, a simple one, and a page.

    A folder of versions is watched: the newest version answers as soon as it is loaded. On SIGTERM
    or Ctrl-C the server answers what it has accepted and exits. Logs are lines of JSON on standard
    error, without the texts.
    """
    settings = Settings(
        workers=workers,
        threads=threads,
        parallel_batches=parallel_batches,
        batch_texts=batch_texts,
        batch_tokens=batch_tokens,
        batch_wait=batch_wait,
        max_queue=max_queue,
        max_texts=max_texts,
        max_characters=max_characters,
        max_body=max_body,
        timeout=timeout,
        body_timeout=body_timeout,
        drain=drain,
        token=token,
        cors=tuple(cors or ()),
    )
    try:
        from kerasnlp_lab.serving import server
    except ImportError as error:
        raise OptionError(
            f"serve needs {error.name}: install it with pip install 'kerasnlp_lab[serve]'"
        ) from error
    listening = server.listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listening.getsockname()[1]}"

    def report(names: list[str]) -> None:
        if as_json:
            print(json_line({"address": address, "models": names}), flush=True)
        else:
            print(f"serving {', '.join(names)} on {address}; Ctrl-C stops it", flush=True)

    if host not in ("127.0.0.1", "localhost", "::1") and not token:
        print(f"{host} can be reached from elsewhere, and there is no --token", file=sys.stderr)
    caught = server.serve(exports, settings, listening, on_start=report)
    if caught == signal.SIGINT:
        raise typer.Exit(INTERRUPTED)
