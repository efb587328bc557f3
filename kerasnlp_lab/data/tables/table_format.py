"""`TableFormat`: how to read a table, where a user says so."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kerasnlp_lab.errors import OptionError, check_option

__all__ = ["TableFormat"]


@dataclass(frozen=True)
class TableFormat:
    """How to read a table. None leaves it to what the file shows.

    Args:
        delimiter: The character between cells.
        encoding: The encoding of the text, by a name that Python knows.
        quoting: "quoted": quotation marks enclose cells; "none": they are text.
        header: Whether the first row names the columns. If not, they are numbered from 1.

    Raises:
        OptionError: One of them cannot be used.
    """

    delimiter: str | None = None
    encoding: str | None = None
    quoting: str | None = None
    header: bool = True

    def __post_init__(self) -> None:
        mark = self.delimiter
        fits = mark is None or (len(mark) == 1 and mark not in '"\r\n\0')
        check_option("delimiter", mark, fits, "one character, as in ';' or tab")
        quotings = (None, "quoted", "none")
        check_option("quoting", self.quoting, self.quoting in quotings, "quoted or none")
        try:
            b"a".decode(self.encoding or "utf-8", "replace")
        except LookupError as error:
            raise OptionError(
                f"no encoding is called {self.encoding!r}; say utf-8, utf-16, cp1252, latin-1 or "
                "another name that Python knows"
            ) from error

    def delimited_alone(self) -> str:
        """Returns an option that is given and that only delimited files have, or ""."""
        if self.delimiter or self.quoting:
            return "--delimiter" if self.delimiter else "--quoting"
        return "" if self.header else "--no-header"

    def to_json(self) -> dict[str, Any]:
        """Returns the fields that differ from their defaults."""
        default = TableFormat()
        return {n: value for n, value in asdict(self).items() if value != getattr(default, n)}
