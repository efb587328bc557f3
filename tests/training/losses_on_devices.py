"""Trains under a strategy on two logical CPUs and prints the losses, for test_strategy.py."""

import json
import sys
import tempfile
from pathlib import Path

import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from kerasnlp_lab._keras import keras  # noqa: E402  # devices are set before anything uses them
from kerasnlp_lab.data import Split, TextDataset, load_dataset  # noqa: E402
from kerasnlp_lab.tasks import Classification, Entities, MultiLabel  # noqa: E402
from kerasnlp_lab.training import make_strategy, train  # noqa: E402
from kerasnlp_lab.zoo import Recipe, create_model  # noqa: E402

strategy_name, model, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])


def with_several_labels(data: TextDataset) -> TextDataset:
    """Returns a dataset whose texts have their class, and whether they are short, as labels."""

    middle = sorted(map(len, data.train.texts))[len(data.train) // 2]

    def several(split: Split) -> Split:
        short = len(data.label_names)
        rows = zip(split.texts, split.labels.tolist(), strict=True)
        sets = [(label, short) if len(text) < middle else (label,) for text, label in rows]
        return Split(split.texts, label_sets=sets)

    parts = (several(one) for one in (data.train, data.validation, data.test))
    return TextDataset("several", (*data.label_names, "short"), *parts)


TASKS = {"labels": Classification, "label_sets": MultiLabel, "spans": Entities}
several = sys.argv[5] == "several labels"
data = load_dataset("news_sample" if several else sys.argv[5])
data = with_several_labels(data) if several else data
task = TASKS[data.annotation].for_data(data)
keras.utils.set_random_seed(1)
strategy = make_strategy(strategy_name)
classifier = create_model(model, task, data.train.texts, options=options, strategy=strategy)
batch_size = int(sys.argv[4])
recipe = Recipe(epochs=3, frozen_epochs=1, batch_size=batch_size, learning_rate=2e-3)
result = train(classifier, data, recipe, Path(tempfile.mkdtemp()), seed=1)
keys = ("loss", "val_loss", "accuracy", "val_accuracy")
print(
    json.dumps(
        {
            "replicas": strategy.num_replicas_in_sync,
            "history": [{key: line[key] for key in keys} for line in result.history],
        }
    )
)
