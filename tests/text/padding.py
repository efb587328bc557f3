"""How much of a batch is padding."""


def padding_share(widths, lengths):
    """Returns what share of the positions of batches is padding.

    Args:
        widths: The width of each batch.
        lengths: The lengths of its rows, an array a batch.
    """
    positions = sum(width * len(batch) for width, batch in zip(widths, lengths, strict=True))
    return 1 - sum(batch.sum() for batch in lengths) / positions
