"""How fast the from-scratch model predicts, from strings to labels: texts a second.

All are trained on the same rows of AG News before, and their test accuracy is printed. Ours
chooses its best epoch on the validation rows; fastText trains on those, too.

  ours                 kerasnlp_lab's transformer, by predict_logits with its defaults
  fasttext             fastText with bigrams, 25 epochs, all texts in one call of predict
  fasttext_normalized  the same on texts prepared as its tutorial does, which is timed, too
"""

from __future__ import annotations

import sys

from bert_contestants import predict
from contestant import Contestants
from environments import python_of
from from_scratch_train import rows_of, start, test_accuracy
from harness import Slices, compare
from history import report
from materials import ag_news, different, question


def main() -> None:
    arguments = question("from_scratch_predict", __doc__, rounds=5, texts=2400).parse_args()
    data = ag_news(arguments)
    (texts, labels), more = rows_of(data.train), rows_of(data.validation)
    slices = Slices(different(data.test, data.train), arguments.texts)
    with Contestants(arguments.threads) as contestants:
        ours = contestants.start("ours", "ours", sys.executable)
        start(ours, data)
        ours.ask("train_by_recipe", rows=(texts, labels), validation=more)
        python = python_of("peers-fasttext")
        for name, normalized in (("fasttext", False), ("fasttext_normalized", True)):
            peer = contestants.start(name, "fast_text", python, normalized=normalized)
            peer.ask("train", texts=texts + more[0], labels=labels + more[1])
        # All get every text: a call with few is short, and mostly its beginning and end.
        size = slices.size
        results = compare(contestants, slices, predict, rounds=arguments.rounds, least=size)
        accuracy = {one.name: test_accuracy(one, data) for one in contestants}
        for name, value in accuracy.items():
            print(f"test accuracy, {name}: {value:.4f}")
        report(arguments, contestants, results, accuracy=accuracy)


if __name__ == "__main__":
    main()
