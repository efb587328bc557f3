"""`align`: which part of a text a model looks at as it writes each character of its output."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from kerasnlp_lab.data.pairs import PAIR_SEPARATOR, split_pair
from kerasnlp_lab.display import printable
from kerasnlp_lab.errors import DataError, OptionError
from kerasnlp_lab.evaluation.fonts import any_text
from kerasnlp_lab.evaluation.report import render_page
from kerasnlp_lab.explanation.reading import given_text
from kerasnlp_lab.tasks import Generation
from kerasnlp_lab.tasks.generation import END, PADDING, TARGET_IDS
from kerasnlp_lab.text import CharacterVectorizer
from kerasnlp_lab.zoo import Classifier
from kerasnlp_lab.zoo.encoder_decoder import EncoderDecoder

__all__ = ["Alignment", "align", "alignment_figure", "alignment_page"]

END_NAME = "[END]"
VISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥"}


@dataclass(frozen=True, eq=False)
class Alignment:
    """The attention of a model that writes a text.

    Args:
        text: The text; of a pair both texts, with a space between them.
        output: The text that was written.
        score: As in `GeneratedText`, and so is complete.
        complete: Whether the model ended the text.
        tokens: The characters (or words) of the text that the model read.
        symbols: The characters that it wrote, and "[END]" if it ended the text.
        weights: The attention to each token as each symbol was written, float32
            [symbols, tokens]; a row adds up to 1.
        joiner: What stands between the tokens in a text: "" or a space.

    Source: Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473, figure 3.
    """

    text: str
    output: str
    score: float
    complete: bool
    tokens: tuple[str, ...]
    symbols: tuple[str, ...]
    weights: np.ndarray
    joiner: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns all of it as JSON can hold it."""
        own = {name: value for name, value in vars(self).items() if name != "joiner"}
        return own | {"weights": self.weights.round(6).tolist()}

    def lines(self) -> Iterator[str]:
        """Yields a line for each symbol: the attention to the token that has most, in brackets."""
        for symbol, weights in zip(self.symbols, self.weights, strict=True):
            most = int(weights.argmax())
            marked = [
                f"[{token}]" if place == most else token for place, token in enumerate(self.tokens)
            ]
            shown = printable(self.joiner.join(marked))
            yield f"{visible(symbol):5}  {weights[most]:.2f}  {shown}"


def align(classifier: Classifier, text: str | tuple[str, str]) -> Alignment:
    """Returns the output of a model that writes, and what it looked at for each character.

    Args:
        classifier: A classifier whose network is an `EncoderDecoder`, such as ``rnn_seq2seq``.
        text: The text; for a model of pairs, a tuple (first, second).

    Raises:
        OptionError: The classifier does not write texts.
        DataError: This is not one text, or no pair where the classifier needs one, or the model
            reads nothing of it.
    """
    task, network = classifier.task, classifier.network
    if not isinstance(task, Generation) or not isinstance(network, EncoderDecoder):
        raise OptionError(f"{classifier.name} for {task.name} writes no texts to align")
    given = given_text(classifier, text)
    [ids] = classifier.text.tokenize(tf.constant([given.encode()])).to_list()
    if not ids:
        raise DataError("the model reads nothing of this text; there is nothing to align")
    features = classifier.text(tf.constant([given]))
    logits = network(features, training=False)  # [1, most, 2]
    [answer] = task.answers(logits.numpy(), classifier.decision, [given])
    written = tf.cast(logits[:, :, 0], tf.int32)[:, : int(np.sum(logits[0, :, 0] != PADDING))]
    before = tf.pad(written[:, :-1], [[0, 0], [1, 0]], constant_values=PADDING)
    weights = network.alignment({**features, TARGET_IDS: before})[0, :, : len(ids)]
    text = " ".join(split_pair(given)) if PAIR_SEPARATOR in given else given
    ends = [END_NAME] if END in written.numpy() else []
    characters = isinstance(classifier.text, CharacterVectorizer)
    names = classifier.text.vocabulary()
    tokens = list(unicodedata.normalize("NFC", text))[: len(ids)] if characters else []
    if len(tokens) != len(ids):
        tokens = [names[one] for one in ids]
    return Alignment(
        text=text,
        output=answer.output,
        score=answer.score,
        complete=answer.complete,
        tokens=tuple(tokens),
        symbols=(*answer.output, *ends),
        weights=weights.numpy(),
        joiner="" if characters else " ",
    )


def visible(token: str) -> str:
    """Returns a token with a sign in place of white space, and of what cannot be printed."""
    return VISIBLE.get(token) or printable(token)


def alignment_figure(alignment: Alignment) -> Figure:
    """Draws the alignment: a row for each symbol of the output, a column for each token."""
    tokens, symbols = (list(map(visible, one)) for one in (alignment.tokens, alignment.symbols))
    with any_text([*tokens, *symbols, "".join(VISIBLE.values())]):
        size = 1.5 + 0.22 * len(tokens), 1.2 + 0.22 * len(symbols)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        axes.imshow(alignment.weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(tokens)), tokens, rotation=0 if not alignment.joiner else 90)
        axes.set_yticks(range(len(symbols)), symbols)
        axes.xaxis.tick_top()
        axes.set(ylabel="output")
    return figure


def alignment_page(alignment: Alignment) -> str:
    """Returns the alignment as an HTML page that needs only a browser, no network."""
    return render_page(
        "kerasnlp_lab.explanation",
        "alignment.html.j2",
        alignment=alignment,
        tokens=list(map(visible, alignment.tokens)),
        symbols=list(map(visible, alignment.symbols)),
        rows=alignment.weights.round(3).tolist(),
    )
