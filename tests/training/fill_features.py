"""Computes features into the cache in a separate process, for test_frozen_features.py.

Arguments: a JSON file with the model's name, its options and the texts; a folder to create when
ready; a folder to wait for; the file for the features; and the pause before each batch.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasnlp_lab.text import tokenize
from kerasnlp_lab.training import feature_cache, frozen_features
from kerasnlp_lab.zoo import create_classifier

task, ready, go, output = map(Path, sys.argv[1:5])
name, options, texts = json.loads(task.read_text())
feature_cache.SEGMENT_ROWS = 64
classifier = create_classifier(name, ["a", "b"], [], options=options)
tokens = tokenize(classifier.text, texts)
compute = classifier.fused_features()


def slowed(batch):
    time.sleep(float(sys.argv[5]))
    return compute(batch)


classifier.__dict__["fused_features"] = lambda: slowed
ready.mkdir()
while not go.exists():
    time.sleep(0.01)
found = frozen_features.frozen_features(classifier, {"all": tokens})["all"]
np.save(output, found.load(tf.range(len(texts))).numpy())
