"""Runs `kerasnlp-lab` within this process, which has already imported TensorFlow."""

import contextlib
import io
import sys
from unittest import mock

from kerasnlp_lab.cli.main import main


class Result:
    """The exit status, standard output and standard error."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def run(*arguments, stdin=b""):
    """Runs the command line in the same way as its entry point."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["kerasnlp-lab", *map(str, arguments)]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as done:
            code = done.code or 0
    return Result(code, out.getvalue(), err.getvalue())
