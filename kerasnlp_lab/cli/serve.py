"""`kerasnlp-lab serve`: an HTTP server for exports, and a page to try them."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from kerasnlp_lab.cli.interrupts import INTERRUPTED
from kerasnlp_lab.cli.json_output import Json, json_line
from kerasnlp_lab.cli.option_groups import option_group, options_of
from kerasnlp_lab.errors import OptionError
from kerasnlp_lab.serving.settings import Settings

__all__ = ["serve"]


@option_group("settings", options_of(Settings), Settings)
def serve(
    *,
    exports: Annotated[
        list[str],
        typer.Argument(
            metavar="EXPORT",
            help="Exported models, or folders of versions named 1, 2 and so on; NAME=FOLDER names "
            "a model.",
        ),
    ],
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 for all of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 for any that is free.")] = 8501,
    settings: Settings,
    as_json: Json = False,
) -> None:
    """Serve exports over HTTP, with a page to try them.

    The server has a simple interface and that of TensorFlow Serving (REST). A folder of versions is
    watched: the newest version answers as soon as it is loaded. On SIGTERM or Ctrl-C the server
    answers what it has accepted and exits. Logs are lines of JSON on standard error, without the
    texts.
    """
    try:
        from kerasnlp_lab.serving import server
    except ImportError as error:
        raise OptionError(
            f"serve needs {error.name}: install kerasnlp_lab with its extra serve, for example by "
            "pip install -c constraints.txt -e '.[serve]' in its repository"
        ) from error
    listening = server.listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listening.getsockname()[1]}"

    def report(names: list[str]) -> None:
        if as_json:
            print(json_line({"address": address, "models": names}), flush=True)
        else:
            print(f"serving {', '.join(names)} on {address}; Ctrl-C stops it", flush=True)

    if host not in ("127.0.0.1", "localhost", "::1") and not settings.token:
        print(f"{host} can be reached from elsewhere, and there is no --token", file=sys.stderr)
    caught = server.serve(exports, settings, listening, on_start=report)
    if caught == signal.SIGINT:
        raise typer.Exit(INTERRUPTED)
