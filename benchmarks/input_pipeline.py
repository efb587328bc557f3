"""What the input pipeline delivers by itself, against what the zoo's fastest model consumes.

ours   the pipeline: batches of texts that are tokenized (training), or from strings
       (predicting), with nothing behind it
model  the transformer's training steps, and its predict_logits from strings, whole
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bert_contestants import predict, train
from contestant import Contestant, Contestants, Reply
from from_scratch_train import MODEL
from harness import Slices, compare
from history import report
from materials import Row, ag_news, different, question


def train_steps(one: Contestant, rows: Sequence[Row]) -> Reply:
    """Has a contestant train on rows; tokenizing is not timed."""
    reply = train(one, rows)
    return reply | {"seconds": reply["seconds"] - reply.get("tokenizing", 0.0)}


def main() -> None:
    arguments = question("input_pipeline", __doc__, rounds=3, texts=1536).parse_args()
    data = ag_news(arguments)
    slices = Slices(different(data.train, data.test), arguments.texts)
    vocabulary = list(data.train.texts)
    with Contestants(arguments.threads) as contestants:
        contestants.start(
            "ours", "ours_pipeline", sys.executable, model=MODEL, vocabulary=vocabulary
        )
        model = contestants.start("model", "ours", sys.executable)
        model.ask("start", seed=0, label_names=data.label_names, model=MODEL, vocabulary=vocabulary)
        for task, ask in (("training", train_steps), ("predicting", predict)):
            print(f"{task}:")
            # All get every text: the batches must be the same.
            results = compare(
                contestants, slices, ask, rounds=arguments.rounds, least=512, multiple=slices.size
            )
            report(arguments, contestants, results, task=task)


if __name__ == "__main__":
    main()
