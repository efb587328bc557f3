"""What share of this machine's matrix-product rate MiniLM reaches, in training and predicting.

The rate is TensorFlow's best for [2048, 384] x [384, 1536] and back, in the precision that
the encoder computes in. Operations are counted for the real tokens, without padding: two for
a multiply-add; in each layer 4 h^2 + 2 h f multiply-adds a token for the weights (h: hidden
size, f: inner size) and 2 T h for attention (T: tokens of the text); three times a forward
pass for a training step. Embeddings, activations, normalization and optimizer are not counted.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence

import numpy as np
from bert_contestants import predict, start, train
from contestant import Contestants
from harness import Slices, spread
from history import append
from materials import MINILM, Row, ag_news, different, question, texts_of

from kerasnlp_lab import Classifier, create_classifier
from kerasnlp_lab.bert.checkpoint import BertConfig
from kerasnlp_lab.text import tokenize

WARM_UP = 128


def forward_operations(config: BertConfig, tokens: np.ndarray) -> float:
    """Returns the floating-point operations of a forward pass.

    Args:
        config: The encoder's.
        tokens: The number of tokens of each text, special ones included, [texts].
    """
    hidden, inner = config.hidden_size, config.intermediate_size
    weights = tokens * (4 * hidden**2 + 2 * hidden * inner)
    attention = 2 * tokens**2 * hidden
    return float(2 * config.num_hidden_layers * (weights + attention).sum())


def tokens_of(classifier: Classifier, rows: Sequence[Row]) -> np.ndarray:
    """Returns the number of tokens of each row, special ones included."""
    lengths = tokenize(classifier.text, texts_of(rows)).lengths + classifier.text.special_tokens
    return np.minimum(lengths, classifier.text.max_length).astype(np.float64)


def main() -> None:
    arguments = question("machine_limit", __doc__, rounds=5, texts=512).parse_args()
    data = ag_news(arguments)
    slices = Slices(different(data.train), arguments.texts)
    classifier = create_classifier(MINILM, data.label_names, [])
    config, precision = classifier.encoder.bert_config, classifier.options.precision
    shares: dict[str, list[float]] = {"training": [], "predicting": []}
    limits: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    with Contestants(arguments.threads) as contestants:
        limit = contestants.start("matrix_products", "matrix_products", sys.executable)
        ours = contestants.start("ours", "ours", sys.executable)
        start(ours, data.label_names, seed=0, steps=0)
        train(ours, slices.next(WARM_UP))
        kind = "bfloat16" if "bfloat16" in precision else "float32"
        for _ in range(arguments.rounds):
            for name, rates in limits.items():
                rates.append(limit.ask("measure", precision=name)["rate"])
            for task, ask, passes in (("training", train, 3), ("predicting", predict, 1)):
                if ask is predict:  # whose graph is built anew for the trained weights
                    predict(ours, slices.next(WARM_UP))
                rows = slices.next(slices.size)
                operations = passes * forward_operations(config, tokens_of(classifier, rows))
                rate = operations / ask(ours, rows)["seconds"]
                shares[task].append(rate / limits[kind][-1])
        for name, rates in limits.items():
            print(f"matrix products in {name}: {statistics.median(rates) / 1e9:.0f} GFLOP/s")
        for task, values in shares.items():
            print(f"{task} in {precision}, share of {kind}: {spread(values)}")
        versions = {one.name: one.versions for one in contestants}
    append(
        arguments,
        versions,
        precision=precision,
        products=limits,
        shares=shares,
        median={task: statistics.median(values) for task, values in shares.items()},
    )


if __name__ == "__main__":
    main()
