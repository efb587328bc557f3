"""Writes small .xlsx files, as Excel lays them out."""

import datetime
import zipfile
from xml.sax.saxutils import escape

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HIDDEN = ' state="hidden"'
STYLES = f"""<styleSheet xmlns="{NAMESPACE}"><fonts count="1"><font/></fonts>
<fills count="1"><fill/></fills><borders count="1"><border/></borders>
<cellStyleXfs count="1"><xf/></cellStyleXfs>
<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>
</styleSheet>"""  # the second style is a date


def write_spreadsheet(path, sheets, *, hidden=(), merged=""):
    """Writes sheets, {name: rows}; a cell is a text, a number, a date, a boolean or None."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        names = list(sheets)
        parts = [f"worksheets/sheet{place}.xml" for place in range(len(names))]
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        archive.writestr("_rels/.rels", _relations({"officeDocument": "xl/workbook.xml"}))
        listed = "".join(
            f'<sheet name="{escape(name)}" sheetId="{place + 1}" r:id="r{place}"'
            f"{HIDDEN if name in hidden else ''}/>"
            for place, name in enumerate(names)
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{NAMESPACE}" xmlns:r="{RELATIONS}"><sheets>{listed}</sheets>'
            "</workbook>",
        )
        kinds = [("worksheet", part) for part in parts] + [("styles", "styles.xml")]
        archive.writestr("xl/_rels/workbook.xml.rels", _relations(kinds))
        archive.writestr("xl/styles.xml", STYLES)
        for part, rows in zip(parts, sheets.values(), strict=True):
            archive.writestr(f"xl/{part}", _sheet(rows, merged))
    return path


def _relations(kinds):
    kinds = kinds.items() if isinstance(kinds, dict) else kinds
    listed = "".join(
        f'<Relationship Id="r{place}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for place, (kind, target) in enumerate(kinds)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def _sheet(rows, merged):
    lines = ""
    for number, row in enumerate(rows, start=1):
        cells = (_cell(f"{chr(65 + place)}{number}", cell) for place, cell in enumerate(row))
        lines += f'<row r="{number}">{"".join(cells)}</row>' if row else ""
    ranges = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    return f'<worksheet xmlns="{NAMESPACE}"><sheetData>{lines}</sheetData>{ranges}</worksheet>'


def _cell(place, value):
    if value is None:
        return ""
    if isinstance(value, datetime.date):
        return f'<c r="{place}" s="1"><v>{(value - datetime.date(1899, 12, 30)).days}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    if value.startswith("="):  # a formula and its saved value
        formula, _, saved = value[1:].partition("->")
        return f'<c r="{place}" t="str"><f>{escape(formula)}</f><v>{escape(saved)}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
