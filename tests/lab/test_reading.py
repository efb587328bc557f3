"""A note before training says which texts a model cannot read well; English has none."""

import csv

import pytest

from kerasnlp_lab.lab.reading import note_on_unknown, notes_on_reading
from kerasnlp_lab.zoo import find_model

OURS = ("transformer", "seed_transformer", "tfidf_linear")
NEWS = {
    "Russian": "Сегодня акции банков резко выросли после отчёта центрального банка.",
    "Arabic": "ارتفعت أسهم البنوك اليوم بعد تقرير البنك المركزي",
    "Hindi": "केंद्रीय बैंक की रिपोर्ट के बाद आज बैंकों के शेयर तेजी से बढ़े",
    "Korean": "중앙은행 보고서 발표 이후 오늘 은행 주가가 크게 올랐다",
    "German": "Die Aktien der Banken sind nach dem Bericht der Zentralbank stark gestiegen.",
    "Vietnamese": "Cổ phiếu ngân hàng hôm nay tăng mạnh sau báo cáo của ngân hàng trung ương",
    "Japanese": "中央銀行の報告書が発表された後、今日の株式市場では銀行株が値上がりしました。",
    "Chinese": "中央银行的报告公布以后，今天股市银行股大幅上涨",
    "Thai": "หุ้นธนาคารวันนี้พุ่งขึ้นอย่างมากหลังธนาคารกลางเผยแพร่รายงาน",
    "Khmer": "ភាសាខ្មែរជាភាសាផ្លូវការរបស់ប្រទេសកម្ពុជា",
}
MULTI, CHINESE = "bert_multi_cased_L-12_H-768_A-12", "bert_zh_L-12_H-768_A-12"


def text_half(model, texts, **options):
    """Returns a model's entry, and its text half with a vocabulary of these texts."""
    entry = find_model(model)
    chosen, _ = entry.resolve(entry.with_options(options), texts, None)
    text = entry.build_text(chosen)
    text.read_long_texts(options.get("long_texts", "head"), 4)
    text.adapt(texts)
    return entry, text


def notes(model, texts, **options):
    return notes_on_reading(*text_half(model, texts, **options), texts)


@pytest.fixture(scope="module")
def minilm():
    entry = find_model("minilm_l6_h384")
    return entry, entry.build_text(entry.with_options({"max_length": 512}))


@pytest.fixture(scope="module")
def english(test_data):
    with (test_data / "ag_news_csv" / "test.csv").open(encoding="utf-8") as file:
        news = [" ".join(row[1:]) for row in csv.reader(file)]
    with (test_data / "sms_spam" / "spamdata_v2.csv").open(encoding="utf-8") as file:
        messages = [row["text"] for row in csv.DictReader(file)]
    lines = (test_data / "goemotions" / "dev.tsv").read_text(encoding="utf-8").splitlines()
    return {"news": news, "messages": messages, "comments": [x.split("\t")[0] for x in lines]}


@pytest.mark.parametrize("name", ["news", "messages", "comments"])
def test_english_has_no_note(english, minilm, name):
    texts = english[name]
    assert notes_on_reading(*minilm, texts) == []


@pytest.mark.parametrize("model", OURS)
def test_our_models_read_english(english, model):
    assert notes(model, english["messages"][:300]) == []


@pytest.mark.parametrize("language", NEWS)
def test_an_english_bert(minilm, language):
    found = notes_on_reading(*minilm, [NEWS[language]] * 3)
    if language in ("German", "Vietnamese"):
        assert found == []
        return
    (note,) = found
    assert (MULTI in note) == ("see 'hub list'" in note) == (language != "Khmer")
    assert (CHINESE in note) == (language == "Chinese")
    assert "transformer with --option tokens=pieces" in note
    letters = language in ("Russian", "Arabic", "Hindi", "Korean")
    assert letters == note.startswith("minilm_l6_h384 splits 100% of the texts almost letter")
    assert letters != note.startswith("the vocabulary of minilm_l6_h384 lacks")


def test_some_texts_in_another_language(minilm):
    texts = ["the cat sat on the mat and the dog ran home"] * 8
    note, cut = notes_on_reading(*minilm, [*texts, NEWS["Russian"], NEWS["Russian"] * 20])
    assert note.startswith("minilm_l6_h384 splits 20% of the texts")
    assert cut.startswith("10% of the texts are longer than 512 tokens")
    assert notes_on_reading(*minilm, [*texts * 2, NEWS["Russian"]]) == []


def test_what_a_vocabulary_lacks_is_named(minilm):
    texts = ["the cat sat on the mat"] * 2 + ["猫猫坐"] * 2 + ["the dog"]
    (note,) = notes_on_reading(*minilm, texts)
    assert (
        "lacks 13% of the characters in these texts (猫, 坐), and makes 30% of the tokens unknown"
        in note
    )
    (note,) = notes_on_reading(*minilm, ["good 😂😂 day", "😂"])
    assert "(😂)" in note
    assert "hub list" not in note
    assert notes_on_reading(*minilm, ["a text that is long enough for one 😂, and no more"]) == []


@pytest.mark.parametrize(
    "model, language",
    [*(("seed_transformer", language) for language in NEWS), ("tfidf_linear", "Thai")],
)
def test_a_model_of_words(model, language):
    asked = {"tokens": "words"} if model == "tfidf_linear" else {}
    found = notes(model, [NEWS[language]] * 3, **asked)
    unspaced = language in ("Japanese", "Chinese", "Thai", "Khmer")
    assert len(found) == unspaced
    assert all(note.startswith("this model splits texts at spaces") for note in found)
    assert all((MULTI in note) == (language != "Khmer") for note in found)


def test_a_small_vocabulary():
    texts = [f"common word{n} name{n} thing{n}" for n in range(50)]
    (note,) = notes("seed_transformer", texts, vocab_size=10)
    assert note.startswith("seed_transformer does not know 72% of the words: raise --option vocab")


def test_texts_in_which_nothing_is_read():
    texts = ["alpha beta gamma"] * 4 + ["!!!", "a b c", ""]
    (note,) = notes("tfidf_linear", texts)
    assert note.startswith("tfidf_linear reads nothing in 33% of the texts, such as '!!!'")
    assert notes("tfidf_linear", texts[:4] + [""]) == []


def test_texts_that_are_cut(minilm):
    texts = ["one two three"] * 8 + ["one two three four five six seven eight"] * 2
    assert notes("seed_transformer", texts, max_length=8) == []
    (note,) = notes("seed_transformer", texts, max_length=7)
    advice = "--long-texts windows reads them all"
    longer = "--max-length 8 would cut 0%"
    begin = "20% of the texts are longer than 7 tokens"
    assert note == f"{begin}: 5% of all words are not read; {longer}; {advice}"
    (note,) = notes("seed_transformer", texts, max_length=7, long_texts="windows")
    assert note == f"{begin}: they are read in windows, in a step of the training in up to 4"
    (note,) = notes_on_reading(*minilm, ["word " * 600] * 2 + ["a word"] * 8)
    unread = "15% of all words are not read"  # 2 * 90 of 1,216
    assert note == f"20% of the texts are longer than 512 tokens: {unread}; {advice}"
    (note,) = notes_on_reading(*minilm, ["word " * 511] + ["a word"] * 199)
    assert note.startswith("less than 1% of the texts are longer than 512 tokens: less than 1% of")
    (note,) = notes("tfidf_linear", texts, max_length=10)
    unread = "14% of all words are not read"  # here n-grams: 2 * 5 of 70
    assert note == (
        f"20% of the texts are longer than 10 tokens: {unread}; --max-length 16 would cut 0%"
    )


def test_a_sample_of_the_whole_table():
    entry, text = text_half("seed_transformer", ["the cat sat"], vocab_size=10)
    texts = ["the cat sat"] * 2000 + ["les chats dorment bien"] * 3000
    (note,) = notes_on_reading(entry, text, texts)
    assert "does not know 67% of the words" in note
    assert note_on_unknown(entry, text, texts).startswith("67% of these texts is unknown to seed_")
    assert note_on_unknown(entry, text, texts[:2000]) == ""
    assert notes_on_reading(entry, text, ["", " "]) == notes_on_reading(entry, text, []) == []


def test_a_small_vocabulary_of_pieces():
    texts = ["今日は東京の株式市場が大きく値上がりしました", "銀行の株価が下がった"] * 2
    (note,) = notes("transformer", texts, tokens="pieces", vocab_size=12)
    assert note.startswith(
        "the vocabulary of transformer lacks 47% of the characters in these texts (今, "
    )
    assert note.endswith("of the tokens unknown: raise --option vocab_size")
    assert notes("transformer", texts, tokens="pieces") == []
    assert notes("transformer", [NEWS["Russian"]] * 3, tokens="characters") == []
