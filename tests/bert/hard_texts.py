"""Texts on which tokenizers disagree.

"The library" is Hugging Face's tokenizers. Each table lists texts that another tokenizer splits
differently, with the words that this tokenizer finds, separated by spaces.
"""

import unicodedata

EQUAL_TEXTS = [
    # empty texts, and almost empty ones
    "",
    " ",
    "   \t\r\n  ",
    "a",
    ".",
    # emoji: side by side, with a skin tone, a flag, a keycap, a variation selector
    "good \U0001f642 morning\U0001f642\U0001f642!",
    "thumbs \U0001f44d\U0001f3fd up \U0001f1e9\U0001f1ea flag 1\ufe0f\u20e3 key \u2764\ufe0f heart",
    # accents, composed and decomposed, several on one letter, and one on none
    "Élan naïve café, Ångström",
    unicodedata.normalize("NFD", "Élan naïve café, Ångström"),
    "q\u0303\u0323\u0308 z\u0351\u0346 \u0301alone o\u0338\u0301",
    "\u1ea0\u0302 A\u0302\u0323 \u1eac",  # three ways to write one letter
    "Tiếng Việt rất đẹp, ĐƯỜNG PHỐ",
    unicodedata.normalize("NFD", "Tiếng Việt rất đẹp, ĐƯỜNG PHỐ"),
    # Chinese and its extensions
    "中文 text中文text句号。",
    "\u3400\u4db5 x\U00020000\U0002a6d6x \U0002a700 \U0002b740y \uf900\ufa0e x\U0002f800x",
    "x\U0002b920x \U0002ceb0x",
    # Japanese, Korean: syllables, and the letters they are made of
    "カタカナ ひらがな がぎぐ か\u3099き\u3099 ヴァ 東京タワー",
    "한국어 토큰 가각힣",
    unicodedata.normalize("NFD", "한국어 토큰 가각힣"),
    # scripts with marks
    "ภาษาไทย น้ำใจ",
    "हिन्दी में লেখা தமிழ் తెలుగు",
    "مُحَمَّد العَرَبِيَّة، لا؟ ٣٤",
    "שָׁלוֹם עִבְרִית־מקף \ufb2a",
    "\ufefftext with a byte order mark",
    "noncharacter\uffff unassigned\u0378",
    # the web
    'AT&amp;T &lt;b&gt;bold&lt;/b&gt; #39;s quot; &#8217; <a href="x">y</a>',
    "http://example.com/a_b?q=1&r=2#frag user@example.com C:\\dir @name #tag",
    "don't can't 3.14 1,000 U.S. $5 50% a/b x-y (z) [1] {2} ~`^|+=<>",
    # long words: with more than 100 characters, both give [UNK]
    *("x" * length for length in (99, 100, 101, 200, 10_000)),
    "after " + "long" * 30 + " word",
    "x" * 60 + "-" + "y" * 60,
    *("д" * length for length in (30, 50, 101, 120)),
    *("ก" * length for length in (30, 33, 101, 120)),
    *("ب" * length for length in (30, 50, 101, 120)),
    # casing
    "The Quick BROWN fox",
    "İstanbul ISPARTA ırmak Iğdır İ",
    "ΟΔΥΣΣΕΥΣ Άέήίόύώ ΐΰ ϊ",
    "kelvin \u212a angstrom \u212b ohm \u2126",
    "Džungla Georgian Ა ა Deseret \U00010400",
    # punctuation and symbols
    "“quoted” ‘single’ — dash – en ‹a› «b» ¿qué? ¡no!",
    "、。「」『』【】〈〉・〜",
    "euro€ pound£ yen¥ cent¢ rupee₹ bitcoin₿ +±×÷=≠∞ →←↑ ■□▲ §¶†‡•",
    "Greek; question\u037emark ano\u0387teleia a\u1fefb",
    # the vocabulary's own words
    "[CLS] a [SEP] b [MASK] c [PAD] [UNK] [unused1]",
    "[mask] ##ing ## ing##",
    "many words " * 100,
]

# The library has the tables of Unicode 8. TensorFlow's are newer.
_NEWER_UNICODE = {
    "new\u2e43sign \u2e4f": "new \u2e43 sign \u2e4f",  # punctuation since 2016
    "a\u166db": "a\u166db",  # a symbol since 2019, punctuation before
}
_NEWER_MARKS = {"a\u1ab0\u1abfb": "ab"}  # the second since 2020

_EITHER_CASE = {
    **_NEWER_UNICODE,
    # Control characters separate words; the library drops them.
    "bell\x07 null\x00 escape\x1b[0m unit\x1fsep": "bell null escape [ 0m unit sep",
    "next\x85line a\x92s": "next line a s",
    "lines\fform\vfeeds": "lines form feeds",
    "annotation\ufff9anchor": "annotation anchor",
    # Private characters and U+FFFD stay; the library drops them. Invalid UTF-8 also stays:
    # surrogates, a byte alone, a character cut short, too long a form, beyond Unicode, UTF-16.
    "private\ue000use": "private\ue000use",
    "replacement\ufffdcharacter": "replacement\ufffdcharacter",
    b"lone \xed\xa0\x80 surrogate": "lone \ufffd\ufffd\ufffd surrogate",
    b"pair\xed\xa0\xbd\xed\xb9\x82of them": f"pair{6 * chr(0xFFFD)}of them",
    b"latin caf\xe9 one": "latin caf\ufffd one",
    b"ends early \xe2\x82": "ends early \ufffd",
    b"cut\xe2\x82short \xf0\x9f\x99word": "cut\ufffdshort \ufffdword",
    b"overlong \xc0\xaf slash": "overlong \ufffd\ufffd slash",
    b"beyond \xf4\x90\x80\x80": "beyond \ufffd\ufffd\ufffd\ufffd",
    b"\xff\xfet\x00e\x00x\x00t\x00": "\ufffd\ufffdt e x t",
    # Only ASCII white space counts; the library also knows Unicode's.
    "line\u2028separator paragraph\u2029too": "line\u2028separator paragraph\u2029too",
    "ogham\u1680space": "ogham\u1680space",
    # A word has at most 100 bytes; in the library, 100 characters.
    **{"д" * length: "[UNK]" for length in (51, 100)},
    **{"ก" * length: "[UNK]" for length in (34, 100)},
    **{"ب" * length: "[UNK]" for length in (51, 100)},
    # Chinese extension E starts at 2B820; in the library, at 2B920.
    "x\U0002b820x": "x \U0002b820 x",
}

# Modules that this package builds.
BUILT_HERE = {"uncased": {**_NEWER_UNICODE, **_NEWER_MARKS}, "cased": _NEWER_UNICODE}

# tensorflow_text's BertTokenizer, which every module on TF Hub contains.
_UNCASED = {
    **_EITHER_CASE,
    # It lower-cases with Unicode's NFKC_Casefold, which folds letters into others ...
    "Straße": "strasse",
    "GROẞ": "gross",
    "long ſ in Congreſs": "long s in congress",
    "Οδυσσεύς και": "οδυσσευσ και",
    "Ἀθῆναι \u1fb3 \u1f80": "αθηναι αι αι",
    "ŉ": "\u02bcn",
    # ... and decomposes compatibility characters.
    "word…next a‥b‼c": "word . . . next a . . b ! ! c",
    "micro \u00b5m": "micro \u03bcm",
    "Ｆｕｌｌ Ｗｉｄｔｈ １２３，！": "full width 123 , !",
    "half width ｶﾞｷﾞ": "half width カキ",
    "radical \u2f00x": "radical 一 x",
    "compatibility jamo ㅋㅋㅋ": "compatibility jamo \u110f\u110f\u110f",
    "Arabic ligature \ufefb": "arabic ligature لا",
    "ﬁne ﬂow oﬃce ǅungla": "fine flow office dzungla",
    "Chapter Ⅷ": "chapter viii",
    "𝐛𝐨𝐥𝐝 𝔣𝔯𝔞𝔨 𝟙𝟚": "bold frak 12",
    "x² H₂O 10⁻³ 1ˢᵗ": "x2 h2o 10\u22123 1st",
    "½ cup ¼ ¾": "1\u20442 cup 1\u20444 3\u20444",
    "№ ™ © ® ℃ ㎏": "no tm © ® °c kg",
    "ªº feminine": "ao feminine",
    "spacing \u00b4acute\u00a8": "spacing acute",
    **_NEWER_MARKS,
}

_CASED = {
    **_EITHER_CASE,
    # Format characters separate words; the library drops them. (Uncased, folding drops them.)
    "a family \U0001f469\u200d\U0001f469\u200d\U0001f467": (
        "a family \U0001f469 \U0001f469 \U0001f467"
    ),
    "zero\u200bwidth non\u200cjoiner": "zero width non joiner",
    "soft\u00adhyphen word\u2060joiner": "soft hyphen word joiner",
    "left\u200eto\u202dright\u202c \u2066isolated\u2069": "left to right isolated",
    "tag\U000e0041s": "tag s",
    # Again only ASCII white space counts. (Uncased, folding turns these into plain spaces.)
    "no\u00a0break thin\u2009hair\u200aem\u2003": "no\u00a0break thin\u2009hair\u200aem\u2003",
    "ideographic\u3000space narrow\u202fone": "ideographic\u3000space narrow\u202fone",
    "é" * 60: "[UNK]",
}

TENSORFLOW_TEXT = {"uncased": _UNCASED, "cased": _CASED}

HARD_TEXTS = list(dict.fromkeys([*EQUAL_TEXTS, *_UNCASED, *_CASED]))
