"""`kerasnlp-lab` run within this process, which has TensorFlow imported already."""

import contextlib
import io
import sys
from unittest import mock

from kerasnlp_lab.cli.main import main


class Result:
    """Exit status, standard output, standard error."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def run(*arguments, stdin=b""):
    """Runs the command line as its entry point does."""
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
