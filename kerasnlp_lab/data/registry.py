"""`load_dataset`: a dataset by its name, in three splits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kerasnlp_lab.data.ag_news import LABEL_NAMES, read_ag_news
from kerasnlp_lab.data.dataset import Split, TextDataset
from kerasnlp_lab.data.dates import read_dates
from kerasnlp_lab.data.news_entities import ENTITY_NAMES, read_news_entities
from kerasnlp_lab.data.news_sample import read_news_sample
from kerasnlp_lab.data.sms_spam import LABEL_NAMES as SMS_LABEL_NAMES
from kerasnlp_lab.data.sms_spam import read_sms_spam
from kerasnlp_lab.data.source import NamedDataset
from kerasnlp_lab.data.splits import divide, divide_texts, split_off_validation
from kerasnlp_lab.errors import UnknownNameError
from kerasnlp_lab.paths import user_path

__all__ = ["DatasetCard", "dataset_cards", "load_dataset"]


@dataclass(frozen=True)
class DatasetCard:
    """The facts about a dataset that are known before loading it.

    `read` takes a folder of datasets, or None, and returns the training rows, the test rows or
    None, and the place that they were read from.
    """

    name: str
    summary: str
    licence: str
    label_names: tuple[str, ...]  # in the order of label ids, or the types of entities
    validation_fraction: float  # the default share of rows to validate on
    read: Callable[[str | Path | None], tuple[Split, Split | None, str]]
    test_fraction: float | None = None  # None if there is an official test split
    split_seed: int = 0  # the default


_CARDS = (
    DatasetCard(
        name="ag_news",
        summary="120,000 + 7,600 news items of about 2004, through TensorFlow Datasets",
        licence="research use",
        label_names=LABEL_NAMES,
        validation_fraction=0.05,
        read=read_ag_news,
    ),
    DatasetCard(
        name="dates",
        summary="20,000 + 2,000 written dates and their ISO form, for --task generation, built in",
        licence="CC0-1.0",
        label_names=(),
        validation_fraction=0.05,
        read=lambda data_dir: read_dates(),
    ),
    DatasetCard(
        name="news_entities",
        summary="240 + 60 news sentences with names, for --task entities, built in",
        licence="CC0-1.0",
        label_names=ENTITY_NAMES,
        validation_fraction=0.15,
        read=lambda data_dir: read_news_entities(),
    ),
    DatasetCard(
        name="news_sample",
        summary="544 + 128 news items written for this project, built in",
        licence="CC0-1.0",
        label_names=LABEL_NAMES,
        validation_fraction=0.15,
        read=lambda data_dir: read_news_sample(),
    ),
    DatasetCard(
        name="sms_spam",
        summary="the SMS Spam Collection, 5,574 messages, 13% spam, split 70/15/15",
        licence="CC BY 4.0",
        label_names=SMS_LABEL_NAMES,
        validation_fraction=0.15,
        read=read_sms_spam,
        test_fraction=0.15,
        split_seed=2018,
    ),
)


def dataset_cards() -> dict[str, DatasetCard]:
    """Returns the card of every dataset, by name."""
    return {card.name: card for card in _CARDS}


def load_dataset(
    name: str,
    *,
    data_dir: str | Path | None = None,
    validation_fraction: float | None = None,
    seed: int | None = None,
) -> TextDataset:
    """Loads a dataset and takes a stratified validation split out of its training rows.

    Args:
        name: "ag_news", "dates", "news_entities", "news_sample" or "sms_spam".
        data_dir: TensorFlow Datasets' folder, or the folder of other datasets.
        validation_fraction: The share of training rows to validate on, or of all rows if
            there is no official test split; None takes the dataset's default.
        seed: Which rows those are; None takes the dataset's default.

    Returns:
        The dataset. An official test split stays whole and in its own order; without one,
        the test split is a stratified share of all rows.

    Raises:
        UnknownNameError: There is no such dataset.
        DatasetMissingError: It is not on this machine and cannot be downloaded.

    Example:
        >>> data = load_dataset("news_sample")
        >>> data.label_names
        ('World', 'Sports', 'Business', 'Sci/Tech')
        >>> len(data.train), len(data.validation), len(data.test)
        (462, 82, 128)
    """
    cards = dataset_cards()
    if name not in cards:
        raise UnknownNameError("dataset", name, cards)
    card = cards[name]
    rows, test, place = card.read(data_dir)
    fraction = card.validation_fraction if validation_fraction is None else validation_fraction
    seed = card.split_seed if seed is None else seed
    if test is not None and rows.annotation in ("spans", "target_texts"):
        parts = divide_texts(place, {"train": rows, "test": test}, fraction, 0, seed)
    elif test is not None:
        parts = *split_off_validation(rows, fraction, seed, card.label_names), test
    else:
        splits = {"train": rows}
        parts = divide(place, splits, fraction, card.test_fraction or 0, seed, card.label_names)
    folder = None if data_dir is None else str(user_path(data_dir).resolve())
    source = NamedDataset(name, place, fraction, seed, folder)
    return TextDataset(name, card.label_names, *parts, source)
