"""Run by test_saved_model.py: asks exports with nothing but tensorflow and tensorflow_text.

Arguments: a JSON file of batches (each a list of texts in hex), then folders. Prints, for each
folder and batch, what both signatures answer.
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
