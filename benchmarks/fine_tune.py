"""How fast MiniLM is fine-tuned on AG News, from strings: texts a second.

Batches of 32, AdamW up to 1e-4, tokenizing counted. The contestants:

  ours               kerasnlp_lab.train with its defaults, every layer trainable
  ours_pooled        the same with the head of the others: dropout, a dense layer on pooled_output
  tf_hub_padded      hub.KerasLayer, every text padded to 128, float32, model.fit
  keras_hub          KerasHub's BertTextClassifier.fit, its own preprocessor at 128
  hugging_face       BertForSequenceClassification, padded to the batch, float32
  hugging_face_best  the same in batches of similar length, under bfloat16's autocast where
                     the machine has bfloat16

Accuracy after the same epochs: accuracy.py.
"""

from __future__ import annotations

from bert_contestants import fine_tuners, start, train
from harness import Slices, compare
from history import report
from materials import ag_news, different, question

BATCH = 32


def main() -> None:
    arguments = question("fine_tune", __doc__, rounds=5, texts=512).parse_args()
    data = ag_news(arguments)
    slices = Slices(different(data.train), arguments.texts)
    steps = (2 * 2 * BATCH + arguments.rounds * arguments.texts) // BATCH
    with fine_tuners(arguments) as contestants:
        for one in contestants:
            start(one, data.label_names, seed=0, steps=steps)
        results = compare(
            contestants, slices, train, rounds=arguments.rounds, least=2 * BATCH, multiple=BATCH
        )
        report(arguments, contestants, results)


if __name__ == "__main__":
    main()
