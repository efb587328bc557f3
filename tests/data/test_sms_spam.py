"""The SMS Spam Collection is installed from every format, downloaded and split as published."""

import csv
import zipfile

import pytest
from sklearn.model_selection import train_test_split

from kerasnlp_lab.data import load_dataset, sms_spam
from kerasnlp_lab.data.sms_spam import install_sms_spam
from kerasnlp_lab.errors import DataError, DatasetMissingError, StorageError
from tests.hub.origins import Origins, cut, status, web_page

ODD = [
    ("ham", 'He said "hi", then left, ok?'),
    ("spam", "a tab\tinside"),
    ("ham", "\u00a31000 caf\u00e9 \u732b"),
    ("spam", "'single', ;semicolon;"),
    ("ham", 'a lone " quotation mark'),
    ("spam", "0"),
]
MESSAGES = ODD + [
    (label, f"message {number} of {label}") for number in range(20) for label in ("ham", "spam")
]


def bare(folder, messages=MESSAGES, name="SMSSpamCollection", end="\n"):
    path = folder / name
    path.write_bytes("".join(f"{label}\t{text}{end}" for label, text in messages).encode())
    return path


def published(folder, *arguments, **options):
    """UCI's .zip, with a readme beside the messages."""
    path = folder / "sms+spam+collection.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(bare(folder, *arguments, **options), "SMSSpamCollection")
        archive.writestr("readme", "SMS Spam Collection v.1")
    return path


def table(folder, names, messages=MESSAGES, name="spamdata_v2.csv"):
    """The tutorial's file, with empty columns at the end of every line."""
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "text", "", "", ""])
        writer.writerows([names[label], text, "", "", ""] for label, text in messages)
    return path


def rows_of(data_dir):
    data = load_dataset("sms_spam", data_dir=data_dir)
    assert data.label_names == ("ham", "spam")
    parts = (data.train, data.validation, data.test)
    return sorted(
        (data.label_names[label], text)
        for part in parts
        for label, text in zip(part.labels, part.texts, strict=True)
    )


FORMS = {
    "the .zip": published,
    "the file in it": bare,
    "with Windows' line ends": lambda folder: bare(folder, end="\r\n"),
    "a table of 0 and 1": lambda folder: table(folder, {"ham": "0", "spam": "1"}),
    "a table of ham and spam": lambda folder: table(folder, {"ham": "ham", "spam": "spam"}),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_gives_the_same_rows(form, tmp_path):
    path, count = install_sms_spam(form(tmp_path), tmp_path / "data")
    assert count == len(MESSAGES)
    assert rows_of(tmp_path / "data") == sorted(MESSAGES)
    data = load_dataset("sms_spam", data_dir=tmp_path / "data")
    assert data.source.place == str(path)
    assert data.train.where(0).startswith(f"{path}, line ")


def test_bytes_that_are_no_text_are_replaced(tmp_path):
    source = bare(tmp_path)
    source.write_bytes(b"spam\tcaf\xe9 \xff\n" + source.read_bytes())
    install_sms_spam(source, tmp_path / "data")
    assert ("spam", "caf\ufffd \ufffd") in rows_of(tmp_path / "data")


def test_it_goes_to_the_cache_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASNLP_LAB_CACHE", str(tmp_path / "cache"))
    path, _ = install_sms_spam(bare(tmp_path))
    assert path == tmp_path / "cache" / "datasets" / "sms_spam" / "sms_spam.csv"
    assert rows_of(None) == sorted(MESSAGES)


@pytest.mark.parametrize(
    "line, number", [("eggs\tx", 47), ("ham x", 47), ("spam\t", 47), ("\tx", 47), ("Ham\tx", 47)]
)
def test_a_line_that_is_no_message_is_named(line, number, tmp_path):
    source = bare(tmp_path)
    source.write_bytes(source.read_bytes() + f"{line}\nham\ty\n".encode())
    message = f"{source}, line {number}: expected ham or spam, a tab, and a message"
    with pytest.raises(DataError, match=message):
        install_sms_spam(source, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_line_in_the_zip_is_named(tmp_path):
    source = published(tmp_path, [("ham", "x"), ("eggs", "y")])
    with pytest.raises(DataError, match=r"collection\.zip, SMSSpamCollection, line 2: expected"):
        install_sms_spam(source, tmp_path / "data")


def test_a_line_of_a_table_is_named(tmp_path):
    source = table(tmp_path, {"ham": "0", "spam": "1"})
    with source.open("a") as file:
        file.write("0,,,,\n")
    with pytest.raises(DataError, match=r"spamdata_v2\.csv, line 48: no text"):
        install_sms_spam(source, tmp_path / "data")


def test_other_labels_are_told(tmp_path):
    source = table(tmp_path, {"ham": "good", "spam": "bad"})
    message = "expected the labels ham and spam, or 0 and 1, got bad, good"
    with pytest.raises(DataError, match=message):
        install_sms_spam(source, tmp_path / "data")


def write(name, content):
    def spoil(folder):
        (folder / name).write_bytes(content)
        return folder / name

    return spoil


def zip_of(member, content):
    def spoil(folder):
        with zipfile.ZipFile(folder / "sms.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, content)
        return folder / "sms.zip"

    return spoil


@pytest.mark.parametrize(
    "source, message",
    [
        (lambda folder: folder / "nowhere.zip", "nowhere.zip: no such file"),
        (lambda folder: folder, "no such file"),
        (write("SMSSpamCollection", b""), "SMSSpamCollection: no messages"),
        (write("SMSSpamCollection", b"\n\n"), "SMSSpamCollection: no messages"),
        (write("sms.zip", b"PK\x03\x04 broken"), r"sms\.zip: no \.zip with SMSSpamCollection"),
        (write("sms.zip", b""), r"sms\.zip: no \.zip with SMSSpamCollection"),
        (zip_of("readme", "x"), r"sms\.zip: no \.zip with SMSSpamCollection"),
        (
            zip_of("SMSSpamCollection", "ham\tx\n" * 2_000_000),
            r"sms\.zip: SMSSpamCollection is larger than 10,000,000 bytes",
        ),
    ],
)
def test_files_that_cannot_be_used(source, message, tmp_path):
    with pytest.raises(DataError, match=message):
        install_sms_spam(source(tmp_path), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_bad_file_leaves_what_was_installed(tmp_path):
    install_sms_spam(bare(tmp_path), tmp_path / "data")
    with pytest.raises(DataError, match="no messages"):
        install_sms_spam(bare(tmp_path, []), tmp_path / "data")
    assert rows_of(tmp_path / "data") == sorted(MESSAGES)


def test_nowhere_to_write(tmp_path):
    (tmp_path / "data").touch()
    with pytest.raises(StorageError, match=f"cannot write {tmp_path / 'data'}/sms_spam"):
        install_sms_spam(bare(tmp_path), tmp_path / "data")


@pytest.fixture
def origin(monkeypatch):
    """A local server that plays UCI."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    with Origins() as origin:
        monkeypatch.setattr(sms_spam, "URL", f"{origin.url}/sms.zip")
        yield origin


def test_it_is_downloaded_once(origin, tmp_path):
    origin.files["/sms.zip"] = published(tmp_path).read_bytes()
    assert rows_of(tmp_path / "data") == sorted(MESSAGES)
    assert rows_of(tmp_path / "data") == sorted(MESSAGES)
    assert len(origin.requests) == 1


@pytest.mark.parametrize(
    "answer, reason",
    [
        (status(404), "HTTPError: 404"),
        (status(503), "HTTPError: 503"),
        (web_page, "no .zip with SMSSpamCollection in it"),
        (cut(300), "ChunkedEncodingError|ConnectionError|no .zip with"),
    ],
    ids=["not there", "out of order", "a login page", "cut"],
)
def test_a_download_that_fails_says_what_to_do(answer, reason, origin, tmp_path):
    origin.files["/sms.zip"] = published(tmp_path).read_bytes()
    origin.play("/sms.zip", answer)
    message = f"sms_spam is not installed and its download failed .*({reason}).*; fetch "
    message += "sms.spam.collection.zip from .*kerasnlp-lab data install sms_spam --from FILE"
    with pytest.raises(DatasetMissingError, match=message):
        load_dataset("sms_spam", data_dir=tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_no_network_says_what_to_do(origin, tmp_path, monkeypatch):
    monkeypatch.setattr(sms_spam, "URL", "http://127.0.0.1:1/sms.zip")
    message = "download failed .*ConnectionError.*data install sms_spam"
    with pytest.raises(DatasetMissingError, match=message):
        load_dataset("sms_spam", data_dir=tmp_path / "data")


@pytest.fixture(scope="module")
def real(test_data, tmp_path_factory):
    """The real file, and the dataset that is installed from it."""
    file = test_data / "sms_spam" / "spamdata_v2.csv"
    data_dir = tmp_path_factory.mktemp("real")
    install_sms_spam(file, data_dir)
    return file, load_dataset("sms_spam", data_dir=data_dir)


def test_splits_are_those_of_the_first_tutorial(real):
    """The tutorial's two calls hold out 30% with random_state 2018, and half of those for the test.

    Spaces around a text are removed.
    """
    file, data = real
    with file.open(encoding="utf-8", newline="") as rows:
        rows = [(row["text"], int(row["label"])) for row in csv.DictReader(rows)]
    texts, labels = [row[0] for row in rows], [row[1] for row in rows]
    assert len(texts) == 5572
    train_text, held_out, train_labels, held_out_labels = train_test_split(
        texts, labels, random_state=2018, test_size=0.3, stratify=labels
    )
    val_text, test_text, val_labels, test_labels = train_test_split(
        held_out, held_out_labels, random_state=2018, test_size=0.5, stratify=held_out_labels
    )
    expected = {
        "train": (train_text, train_labels),
        "validation": (val_text, val_labels),
        "test": (test_text, test_labels),
    }
    for part, (part_texts, part_labels) in expected.items():
        split = getattr(data, part)
        found = sorted(zip(split.texts, split.labels.tolist(), strict=True))
        stripped = [text.strip() for text in part_texts]
        assert found == sorted(zip(stripped, part_labels, strict=True))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [3900, 836, 836]


def test_another_seed_gives_other_rows_of_the_same_number(real, tmp_path):
    file, data = real
    install_sms_spam(file, tmp_path)
    other = load_dataset("sms_spam", data_dir=tmp_path, seed=1)
    assert len(other.test) == len(data.test)
    assert set(other.test.texts) != set(data.test.texts)
    assert (data.source.split_seed, other.source.split_seed) == (2018, 1)
