"""Classify headlines with an exported SavedModel: only tensorflow and tensorflow_text."""

import sys

import tensorflow as tf
import tensorflow_text  # noqa: F401  # registers the ops that the exported graph calls

HEADLINES = [
    "Central bank leaves rates unchanged as factory orders slip",
    "Substitute scores twice in stoppage time to send hosts into the final",
    "Probe sends back first pictures from beneath the clouds of Titan",
]

serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
answer = serve(text=tf.constant(HEADLINES))
for text, label, probabilities in zip(
    HEADLINES, answer["label"].numpy(), answer["probabilities"].numpy(), strict=True
):
    print(f"{label.decode():10} {probabilities.max():.3f}  {text}")
