"""Measures how much of a batch is padding."""


def padding_share(widths, lengths):
    """Returns the share of the batches' positions that is padding.

    Args:
        widths: The width of each batch.
        lengths: The lengths of the rows, one array for each batch.
    """
    positions = sum(width * len(batch) for width, batch in zip(widths, lengths, strict=True))
    return 1 - sum(batch.sum() for batch in lengths) / positions
