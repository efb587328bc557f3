"""Output in an encoding that lacks a character is escaped, and JSON stays JSON."""

import io
import json
import sys

import pytest

from kerasnlp_lab.cli import main as cli
from kerasnlp_lab.cli.json_output import json_line, print_json

NAME = "Wörld 财经 😀 \ud83d"  # the last cannot be written as UTF-8


def printed_by(monkeypatch, encoding, command):
    """Returns the bytes that the command line writes to standard output."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    monkeypatch.setattr(cli, "_run", command)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    sys.stdout.flush()
    return written.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_nothing_ends_in_a_traceback(monkeypatch, encoding):
    written = printed_by(monkeypatch, encoding, lambda: print(NAME)).decode(encoding)
    expected = NAME.encode(encoding, "backslashreplace").decode(encoding)
    assert written == f"{expected}\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "utf-16"])
@pytest.mark.parametrize("write", [print_json, lambda content: print(json_line(content))])
def test_json_can_be_read_back(monkeypatch, encoding, write):
    written = printed_by(monkeypatch, encoding, lambda: write({"label": NAME}))
    assert json.loads(written.decode(encoding)) == {"label": NAME}
