"""How long one text takes through a fine-tuned MiniLM: median and 99th percentile.

All have the same weights and head and get one text at a time.

  ours            the SavedModel of kerasnlp_lab.export_classifier, read as docs/getting-started.md
                  tells for one text at a time: each operation on one thread
  ours_as_it_is   the same with TensorFlow's defaults
  tf_hub_padded   a SavedModel of hub.KerasLayer: padded to 128, float32; TensorFlow's defaults
  hugging_face    pipeline("text-classification"), float32
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from bert_contestants import TORCH, latency
from contestant import Contestants
from environments import python_of
from harness import Results, Slices, compare
from history import report
from materials import ag_news, different, fine_tuned, question, write_hugging_face
from predict import agreement

from kerasnlp_lab import Classifier, export_classifier
from kerasnlp_lab._keras import keras
from kerasnlp_lab.export.hub_modules import build_modules


def export_padded(classifier: Classifier, form: Path, target: Path) -> None:
    """Writes a SavedModel of the same weights, made as the tutorials make theirs.

    Args:
        classifier: Where the head is taken from.
        form: A folder with the same encoder in Hugging Face's form.
        target: The folder to make.
    """
    build_modules(form, target / "modules")
    text = keras.Input(shape=(), dtype=tf.string, name="text")
    x = hub.KerasLayer(str(target / "modules" / "preprocess"))(text)
    x = hub.KerasLayer(str(target / "modules" / "encoder"))(x)["pooled_output"]
    head = keras.layers.Dense(len(classifier.label_names))
    model = keras.Model(text, head(x))
    head.set_weights([weight.numpy() for weight in classifier.head.weights])
    names = tf.constant(classifier.label_names)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(text: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"label": tf.gather(names, tf.argmax(model(text, training=False), axis=-1))}

    tf.saved_model.save(model, str(target / "saved_model"), signatures=serve)


def at(results: Results, percentile: float) -> Results:
    """Returns results whose rates are texts a second at a percentile of the latencies."""
    rates = {
        name: [1 / float(np.percentile(reply["times"], percentile)) for reply in replies]
        for name, replies in results.replies.items()
    }
    return dataclasses.replace(results, rates=rates)


def main() -> None:
    parser = question("latency", __doc__, rounds=5, texts=200)
    parser.add_argument(
        "--fine-tune", type=int, default=640, help="on so many texts before; default 640"
    )
    arguments = parser.parse_args()
    data = ag_news(arguments)
    slices = Slices(different(data.train, data.test), arguments.texts)
    with tempfile.TemporaryDirectory() as name, Contestants(arguments.threads) as contestants:
        exported, padded, form = (Path(name, part) for part in ("ours", "padded", "form"))
        print(f"fine-tuning MiniLM on {arguments.fine_tune} texts, and exporting it", flush=True)
        classifier = fine_tuned(data, slices.next(arguments.fine_tune))
        export_classifier(classifier, exported)
        form.mkdir()
        write_hugging_face(classifier, form, head=True)
        export_padded(classifier, form, padded)
        folder = str(padded / "saved_model")
        own = {"folder": str(exported)}
        contestants.start("ours", "saved_model", sys.executable, **own, one_thread=True)
        contestants.start("ours_as_it_is", "saved_model", sys.executable, **own)
        contestants.start("tf_hub_padded", "saved_model", sys.executable, folder=folder)
        torch = {"folder": str(form), "best": False}
        contestants.start("hugging_face", "hugging_face", python_of(TORCH), **torch)
        # Every one gets all the texts: a 99th percentile needs them.
        every = slices.size
        results = compare(contestants, slices, latency, rounds=arguments.rounds, least=every)
        same = agreement(results)
        print("same label as ours: " + ", ".join(f"{k} {v:.4f}" for k, v in same.items()))
        for percentile in (50, 99):
            found = at(results, percentile)
            print(f"at the {percentile}th percentile, 1 / latency:")
            report(arguments, contestants, found, "1/s", percentile=percentile, agreement=same)


if __name__ == "__main__":
    main()
