"""Each kind of encoding damage is reported and, if possible, repaired; nothing else changes."""

import pytest

from kerasnlp_lab.data.inspection.encoding import damage, mend, shown_change
from tests.data.inspection.tables import inspect_rows, of_kind

DAMAGED = [
    # the original text, the damaged text, the name of the damage
    ("schön", "schön".encode().decode("latin-1"), {"mojibake"}),
    ("it’s £5", "it’s £5".encode().decode("cp1252"), {"mojibake"}),
    ("это письмо", "это письмо".encode().decode("cp1251"), {"mojibake"}),
    (
        "price €5, it’s “ok”",
        "price €5, it’s “ok”".encode("cp1252").decode("latin-1"),
        {"c1_control"},
    ),
    ("fish & chips", "fish &amp; chips", {"html_entity"}),
    ("a <b> & c", "a &amp;lt;b&amp;gt; &amp;amp; c", {"html_entity"}),
    ("naïve — café", "na&iuml;ve &#8212; caf&#xe9;", {"html_entity"}),
    ("hello there", "he\x00llo\x08 there\x7f", {"control_character"}),
    ("red alert", "\x1b[31mred\x1b[0m alert", {"control_character"}),
    ("two halves", "two \ufeffhalves", {"byte_order_mark"}),
    ("Tom & Jerry’s", "Tom &amp; Jerryâ€™s", {"mojibake", "html_entity"}),
]


@pytest.mark.parametrize(
    "right, damaged, kinds",
    DAMAGED,
    ids=lambda value: ascii(value if isinstance(value, str) else sorted(value))[:30],
)
def test_damage_is_named_and_undone(right, damaged, kinds):
    assert set(damage(damaged)) == kinds
    assert mend(damaged) == right
    assert damage(right) == {}


@pytest.mark.parametrize(
    "right, damaged",
    [
        ("China's trade", "China #39;s trade"),
        ('he writes "MIT, it seems"', "he writes  quot;MIT, it seems quot;"),
        ("Tiffany & Co. put $45", "Tiffany  amp; Co. put  #36;45"),
        ("AT&T", "AT amp;T"),
        ("dark—and late", "dark #151;and late"),
    ],
)
def test_entities_as_ag_news_has_them(right, damaged):
    assert set(damage(damaged)) == {"html_entity"}
    assert mend(damaged) == right


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "“curly” quotes, an ellipsis… and a dash —",
        "ﬁne ligatures, ＦＵＬＬ width, ½ and ²",
        "e\u0301 decomposed, Å, £5, naïve, ﬀ",
        "日本語のテキスト, Привет, שלום",
        "👩\u200d👩\u200d👧 and a\u00a0hard space",
        "line\r\nends\tand tabs",
        "a & b; AT&T; R&D; x&y;z; camp; #hash; clamp;",
        "&nosuchentity; &amp without an end, # 39; item #1;",
    ],
)
def test_a_text_without_damage_comes_back_as_it_went_in(text):
    assert damage(text) == {}
    assert mend(text) == text


@pytest.mark.parametrize(
    "text, kind",
    [
        ("lost \ufffd for ever", "replacement_character"),
        ("no such Windows character: \x81", "c1_control"),
        ("å£1000 cash", "mojibake"),
        ("4txt/Ì¼1.20", "mojibake"),  # ftfy reads an accent on a slash in it
    ],
)
def test_what_cannot_be_mended_stays(text, kind):
    assert set(damage(text)) == {kind}
    assert mend(text) == text


def test_an_entity_that_stands_for_damage_is_left():
    for text in ("&#0;", "a &#xFFFD; b", "&#xFEFF;", "&#x1b;[31m"):
        assert (damage(text), mend(text)) == ({}, text)


def test_mending_twice_is_mending_once():
    for _, damaged, _ in DAMAGED:
        assert mend(mend(damaged)) == mend(damaged)


def test_findings_have_line_and_what_would_become_of_it(tmp_path):
    rows = [("Tom &amp; Jerry", "ham"), ("lost \ufffd\x07", "ham"), ("good", "ham")]
    found = inspect_rows(tmp_path, rows)
    assert of_kind(found, "html_entity") == [
        ("t.csv", 62, '"&amp;"; would become "Tom & Jerry"'),
    ]
    assert of_kind(found, "replacement_character") == [("t.csv", 63, "U+FFFD; cannot be mended")]
    assert of_kind(found, "control_character") == [
        ("t.csv", 63, 'U+0007; would become "lost \ufffd"')
    ]
    assert found.counts["mojibake"] == 0


def test_what_is_shown_of_a_change():
    before = "x" * 100 + "&amp;" + "y" * 100
    assert shown_change(before, mend(before)) == '"…' + "x" * 14 + "&" + "y" * 45 + '…"'
