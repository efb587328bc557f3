"""AG News, installed from its own files, is read by plain tfds.load and by load_dataset."""

import shutil

import pytest

from kerasnlp_lab.data import load_dataset
from kerasnlp_lab.data.ag_news import install_ag_news
from kerasnlp_lab.errors import DatasetMissingError, KerasnlpLabError, StorageError
from tests.data.ag_news_files import (
    TEST,
    TRAIN,
    load_elsewhere,
    read_csv,
    write_archive,
    write_csv,
)


@pytest.fixture(scope="module")
def csv_folder(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("small") / "ag_news_csv")


@pytest.fixture(scope="module")
def data_dirs(csv_folder, tmp_path_factory):
    """TensorFlow Datasets' folders, by the source of the installation."""
    archive = tmp_path_factory.mktemp("archive") / "ag_news_csv.tar.gz"
    sources = {"folder": csv_folder, "archive": write_archive(archive, csv_folder)}
    data_dirs = {}
    for name, source in sources.items():
        data_dirs[name] = tmp_path_factory.mktemp("data")
        install_ag_news(source, data_dirs[name])
    return data_dirs


@pytest.fixture(scope="module")
def elsewhere(data_dirs):
    return dict(zip(data_dirs, load_elsewhere(*data_dirs.values()), strict=True))


@pytest.fixture
def installed(data_dirs):
    return data_dirs["folder"]


def with_labels(*splits):
    """Returns the (text, label id) pairs of splits."""
    return [
        pair for split in splits for pair in zip(split.texts, split.labels.tolist(), strict=True)
    ]


def joined(rows):
    """Returns the expected (text, label id) pairs of AG News' rows."""
    return [(title + " " + description, label - 1) for label, title, description in rows]


@pytest.mark.parametrize("source", ["folder", "archive"])
def test_plain_tfds_load_gives_the_same_rows(elsewhere, source):
    assert sorted(elsewhere[source]["train"]) == sorted(TRAIN)
    assert sorted(elsewhere[source]["test"]) == sorted(TEST)


def test_load_dataset_joins_title_and_description(installed, elsewhere):
    data = load_dataset("ag_news", data_dir=installed, validation_fraction=0.5)
    assert data.label_names == ("World", "Sports", "Business", "Sci/Tech")
    assert str(installed) in data.source.place
    assert sorted(with_labels(data.train, data.validation)) == sorted(joined(TRAIN))
    # The order differs, because TensorFlow Datasets shuffles the rows that it prepares.
    assert with_labels(data.test) == joined(elsewhere["folder"]["test"])


@pytest.mark.slow  # it prepares 127,600 rows
def test_the_real_files(ag_news_csv, tmp_path):
    install_ag_news(ag_news_csv, tmp_path)
    [elsewhere] = load_elsewhere(tmp_path)
    published = {part: read_csv(ag_news_csv / f"{part}.csv") for part in ("train", "test")}
    for part, rows in published.items():
        assert sorted(elsewhere[part]) == sorted(rows)
    data = load_dataset("ag_news", data_dir=tmp_path)
    assert len(data.validation) == pytest.approx(0.05 * len(published["train"]), abs=1)
    assert sorted(with_labels(data.train, data.validation)) == sorted(joined(published["train"]))
    assert with_labels(data.test) == joined(elsewhere["test"])


def test_a_folder_that_holds_the_published_folder(csv_folder, tmp_path):
    answer = install_ag_news(csv_folder.parent, tmp_path)
    assert answer == (tmp_path / "ag_news_subset" / "1.0.0", len(TRAIN), len(TEST))


def test_installing_twice_is_harmless(csv_folder, installed):
    files = {path: path.stat().st_mtime_ns for path in installed.rglob("*")}
    folder = installed / "ag_news_subset" / "1.0.0"
    assert install_ag_news(csv_folder, installed) == (folder, len(TRAIN), len(TEST))
    assert {path: path.stat().st_mtime_ns for path in installed.rglob("*")} == files


def test_a_different_number_of_rows_is_there_already(installed, tmp_path):
    other = write_csv(tmp_path, train=TRAIN[:5])
    message = "holds other rows than .* already; remove that folder, or give another"
    with pytest.raises(DatasetMissingError, match=message):
        install_ag_news(other, installed)


def test_as_many_but_other_rows_are_there_already(installed, tmp_path):
    other = write_csv(tmp_path, train=[*TRAIN[:-1], (4, "Corrected", "another text")])
    with pytest.raises(DatasetMissingError, match="remove that folder, or give another"):
        install_ag_news(other, installed)


def test_data_dir_that_cannot_be_written(csv_folder, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    message = "cannot write the prepared dataset to .*file.*Not a directory"
    with pytest.raises(StorageError, match=message):
        install_ag_news(csv_folder, tmp_path / "file")


@pytest.fixture(params=["*", "dataset_info.json", "*train.tfrecord*"])
def broken_copy(installed, tmp_path, request):
    """A prepared dataset with missing files, as after an interrupted copy."""
    copy = tmp_path / "ag_news_subset" / "1.0.0"
    shutil.copytree(
        installed / "ag_news_subset" / "1.0.0", copy, ignore=shutil.ignore_patterns(request.param)
    )
    return copy


def test_a_dataset_without_some_files_is_not_read(broken_copy, tmp_path):
    with pytest.raises(KerasnlpLabError, match=str(broken_copy)):
        load_dataset("ag_news", data_dir=tmp_path)


def test_a_dataset_without_some_files_is_not_taken_for_installed(broken_copy, csv_folder, tmp_path):
    try:
        install_ag_news(csv_folder, tmp_path)
    except KerasnlpLabError as error:  # either an error reports it,
        assert str(broken_copy) in str(error)
    else:  # or the dataset is complete afterwards
        data = load_dataset("ag_news", data_dir=tmp_path, validation_fraction=0.5)
        assert len(data.train) + len(data.validation) == len(TRAIN)
