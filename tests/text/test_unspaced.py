"""Texts whose words have no spaces between them are noticed, and no others."""

import pytest

from kerasnlp_lab.text.unspaced import note_on_unspaced


@pytest.mark.parametrize(
    "text, script",
    [
        ("今天股市大涨1", "Han"),
        ("今日は株式市場が大きく上がりました。", "Hiragana"),
        ("ตลาดหุ้นวันนี้พุ่งขึ้นอย่างมาก", "Thai"),
        ("ຕະຫຼາດຫຸ້ນມື້ນີ້ເພີ່ມຂຶ້ນ", "Lao"),
        ("ភាសាខ្មែរជាភាសាផ្លូវការ", "Khmer"),
        ("မြန်မာဘာသာစကားသည်", "Myanmar"),
        ("今天股市大涨因为银行 足球比赛结果公布以后", "Han"),  # a space between sentences
        ("你好", "Han"),
    ],
)
def test_a_script_without_spaces(text, script):
    note = note_on_unspaced([text] * 3)
    assert note.startswith(f"this model splits texts at spaces, and {script} is written without")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "😀",
        "Donaudampfschifffahrt",
        "오늘 주식 시장이",
        "आज शेयर बाजार",
        "今天 股市 大涨",
        "今 天 股 市",
    ]
    + ["سوق الأسهم", "The word 今天 within an English text", "ตลาด หุ้น วัน นี้ พุ่ง ขึ้น"],
)
def test_texts_whose_words_can_be_told_apart(text):
    assert note_on_unspaced([text] * 3) == ""
    assert note_on_unspaced([]) == ""
