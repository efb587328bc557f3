"""Asks exports with only tensorflow and tensorflow_text, for test_saved_model.py.

Arguments: a JSON file of batches (each a list of texts in hex), followed by folders. It prints the
answers of both signatures for each folder and batch.
"""

import json
import sys

import tensorflow as tf
import tensorflow_text  # noqa: F401  # registers the ops that the exported graph calls

with open(sys.argv[1]) as file:
    batches = [[bytes.fromhex(text) for text in batch] for batch in json.load(file)]
answers = []
for folder in sys.argv[2:]:
    signatures = tf.saved_model.load(folder).signatures
    answers.append([])
    for batch in batches:
        texts = tf.constant(batch, tf.string, shape=[len(batch)])
        answer = {**signatures["serving_default"](text=texts), **signatures["logits"](text=texts)}
        answer = {name: value.numpy().tolist() for name, value in answer.items()}
        answer["label"] = [label.decode() for label in answer["label"]]
        answers[-1].append(answer)
foreign = {"kerasnlp_lab", "tf_keras", "tensorflow_hub", "official"} & set(sys.modules)
assert not foreign, f"imported besides TensorFlow: {foreign}"
print(json.dumps(answers))
