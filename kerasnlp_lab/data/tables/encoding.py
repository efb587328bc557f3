"""`find_encoding`: the encoding of a file, by all of its bytes."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from kerasnlp_lab.data.tables.lines import head_of, uncompressed
from kerasnlp_lab.errors import DataError

__all__ = ["by_mark", "check_encoding", "find_encoding", "is_binary", "marked_encoding"]

MARKS = {  # in this order: UTF-32's mark begins as that of UTF-16 does
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
EIGHT_BITS = (
    "cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 iso8859_2 iso8859_5 iso8859_7 "
    "iso8859_9 koi8_r koi8_u cp850 cp866 mac_roman mac_cyrillic cp874 gb18030 big5 cp932 euc_jp "
    "cp949"
).split()
_LATIN = "cp1252 cp1250 cp1254 cp1257 cp1258 iso8859_2 iso8859_9 cp850 mac_roman".split()
_WESTERN = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüÿœß")  # Turkish has ð, þ and ý there
_SYMBOL_IN_WORD = re.compile(
    r"(?<=[a-z])(?![’·\xad\xa0])[\x80-\xbf‚ƒ„…†‡ˆ‰‹•˜™›€\ufffd×÷](?=[a-z])"
)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_NOT_IN_TEXTS = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b")
SAMPLE = 1 << 18  # bytes of lines that are not ASCII, from the whole file
TIE = 0.01  # a difference in charset-normalizer's measure of mess that says nothing


def find_encoding(path: Path, *, slips: bool = True) -> str:
    """Returns the encoding of a file by its byte order mark, its NULs, or all of its bytes.

    UTF-8 stays UTF-8 with no more broken lines than there are valid ones with characters beyond
    ASCII. Other files are in cp1252 if that makes words of Western Europe, and else in the
    encoding that charset-normalizer finds for lines from all of the file. With `slips`, one broken
    line is a slip, to be rejected by its line, even if no line is valid UTF-8 beyond ASCII. Raises
    DataError if the file cannot be read.
    """
    if found := marked_encoding(path):
        return found
    valid, broken, sample = _lines_beyond_ascii(path)
    return "utf-8" if valid >= broken or (slips and broken == 1) else _eight_bits(sample)


def marked_encoding(path: Path) -> str:
    """Returns the encoding that a file's byte order mark or its NULs show, or ""."""
    head = head_of(path)
    return by_mark(head) or _by_nuls(head)


def check_encoding(path: Path, encoding: str) -> None:
    """Raises DataError if the start of a file shows that it has another encoding."""
    head = head_of(path)
    found = by_mark(head) or _by_nuls(head)
    if not found and not head.isascii() and _decoded(head, "utf-8").find("\ufffd") < 0:
        found = "utf-8"
    name = codecs.lookup(encoding).name
    wide = name.startswith(("utf-16", "utf-32")) and b"\0" not in head
    if found and _decoded(head, encoding) != _decoded(head, found) or head and wide:
        truth = f"is in {found}, not in" if found else "is not in"
        raise DataError(f"{truth} {encoding}; leave out --encoding", path)


def _decoded(head: bytes, encoding: str) -> str:
    """Returns text without its byte order mark and a last character that is cut.

    It is "" for UTF-16 or UTF-32 without the mark, which Python refuses.
    """
    try:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    except UnicodeError:
        return ""
    return text.removeprefix("\ufeff")


def by_mark(head: bytes) -> str:
    """Returns the encoding of bytes that start with a byte order mark, or ""."""
    return next((name for mark, name in MARKS.items() if head.startswith(mark)), "")


def is_binary(head: bytes) -> bool:
    """Returns whether the start of a file, unless in UTF-16 or UTF-32, holds more than text."""
    strange = len(head) - len(head.translate(None, _NOT_IN_TEXTS))
    return b"\0" in head or strange > max(3, len(head) // 50)


def _by_nuls(head: bytes) -> str:
    """Returns the UTF-16 without a mark whose line ends and other ASCII explain the NULs."""
    for name, high, line_end in (("utf-16-le", 1, b"\n\0"), ("utf-16-be", 0, b"\0\n")):
        nuls, others = head[high::2].count(0), head[1 - high :: 2].count(0)
        units = {head[place : place + 2] for place in range(0, len(head), 2)}
        if nuls > 1 and nuls > 2 * others and 20 * nuls > len(head) // 2:
            if line_end in units or b"\n" not in head:
                return name
    return ""


def _lines_beyond_ascii(path: Path) -> tuple[int, int, list[bytes]]:
    """Returns how many lines beyond ASCII are valid UTF-8, how many not, and some of the latter.

    A broken first line counts twice: it names the columns, and is no slip in a row.
    """
    valid, broken, step, size = 0, 0, 1, 0
    sample: list[bytes] = []
    with uncompressed(path) as file:
        for number, line in enumerate(file):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                valid += 1
                continue
            except UnicodeDecodeError:
                broken += 1 if number else 2
            if broken % step == 0:
                sample.append(line[:SAMPLE])
                size += len(sample[-1])
            if size > SAMPLE:  # half as many, from the whole file so far
                sample, step = sample[1::2] or sample[:1], 2 * step
                size = sum(map(len, sample))
    return valid, broken, sample


def _eight_bits(sample: list[bytes]) -> str:
    from charset_normalizer import from_bytes

    decodable = [line for line in sample if not set(line) & {0x81, 0x8D, 0x8F, 0x90, 0x9D}]
    # cp1252 lacks five bytes: a few lines with them are broken, many are of another encoding
    lines = decodable if 20 * len(decodable) > 19 * len(sample) else sample
    text = b"".join(lines).decode("cp1252", "replace")
    if _is_western(text):
        return "cp1252"
    candidates = EIGHT_BITS
    if _share_of_long_runs(text) > 0.5:  # words in which every letter is beyond ASCII
        candidates = [name for name in EIGHT_BITS if name not in _LATIN]
    matches = list(from_bytes(b"".join(lines), cp_isolation=candidates))
    if not matches:
        return "cp1252"
    least = min(match.chaos for match in matches)
    likely = [match for match in matches if match.chaos <= least + TIE]
    names = [name for match in likely for name in match.could_be_from_charset]
    names = [name for name in names if name != "cp1252"] or ["cp1252"]  # it makes no words
    no_c1 = not any(0x80 <= byte < 0xA0 for line in lines for byte in line)
    if names[0] == "cp1250" and no_c1 and "iso8859_2" in names:  # cp1250 has letters there
        return "iso8859_2"
    return names[0]


def _is_western(text: str) -> bool:
    """Returns whether text that was read as cp1252 looks like a language of Western Europe.

    charset-normalizer takes short French or Italian texts for Baltic or Polish ones.
    """
    letters = [char for char in text if char > "\x7f" and char.isalpha() and char not in "ªº"]
    common = sum(char.lower() in _WESTERN for char in letters)
    strange = len(_SYMBOL_IN_WORD.findall(text))
    return (
        0.97 * len(letters) <= common
        and strange <= 0.02 * len(letters)
        and _share_of_long_runs(text) < 0.05
    )


def _share_of_long_runs(text: str) -> float:
    runs = _BEYOND_ASCII.findall(text)
    return sum(len(run) > 2 for run in runs) / max(len(runs), 1)
