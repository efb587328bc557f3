"""`load_dataset`: from a dataset's name to its three splits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kerasnlp_lab.data.ag_news import LABEL_NAMES, read_ag_news
from kerasnlp_lab.data.dataset import Split, TextDataset
from kerasnlp_lab.data.news_sample import read_news_sample
from kerasnlp_lab.data.splits import split_off_validation
from kerasnlp_lab.errors import UnknownNameError

__all__ = ["DatasetCard", "dataset_cards", "load_dataset"]


@dataclass(frozen=True)
class DatasetCard:
    """What there is to know of a dataset before loading it."""

    name: str
    summary: str
    licence: str
    label_names: tuple[str, ...]
    validation_fraction: float
    read: Callable[[str | Path | None], tuple[Split, Split, str]]


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
        name="news_sample",
        summary="544 + 128 news items written for this project, built in",
        licence="CC0-1.0",
        label_names=LABEL_NAMES,
        validation_fraction=0.15,
        read=lambda data_dir: read_news_sample(),
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
    seed: int = 0,
) -> TextDataset:
    """Loads a dataset and takes a stratified validation split out of its training rows.

    Args:
        name: "ag_news" or "news_sample".
        data_dir: TensorFlow Datasets' folder, for datasets that live there.
        validation_fraction: The share of training rows to validate on; None for
            the dataset's own default.
        seed: Which rows those are.

    Returns:
        The dataset. The official test split is whole and in its own order.

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
    rows, test, source = card.read(data_dir)
    fraction = card.validation_fraction if validation_fraction is None else validation_fraction
    train, validation = split_off_validation(rows, fraction, seed)
    return TextDataset(
        name, card.label_names, train, validation, test, source, fraction, split_seed=seed
    )
