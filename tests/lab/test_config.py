"""`ExperimentConfig` checks its values and survives a round trip through JSON."""

import dataclasses
import json

import pytest

from kerasnlp_lab.data import Split, TextDataset
from kerasnlp_lab.data.pairs import join_pair
from kerasnlp_lab.errors import OptionError, UnknownNameError
from kerasnlp_lab.lab import ExperimentConfig, find_preset
from kerasnlp_lab.lab.config import unused_recipe_fields
from kerasnlp_lab.tasks import Classification
from kerasnlp_lab.zoo import Recipe, find_model


def again(config):
    return ExperimentConfig.from_json(json.loads(json.dumps(config.to_json())))


def test_the_models_own_settings_are_filled_in():
    config = ExperimentConfig("transformer", {"max_length": "40"})
    assert config.options == {
        **dataclasses.asdict(find_model("transformer").options),
        "max_length": 40,
    }
    assert config.recipe == find_model("transformer").recipe


def test_every_setting_survives_json():
    config = ExperimentConfig(
        "tfidf_linear",
        {"max_length": 7},
        dataclasses.replace(find_model("tfidf_linear").recipe, class_weight="balanced"),
        threshold="f1",
        positive_class="spam",
        strategy="cpu",
        seed=4,
        deterministic=True,
        folds=3,
        checkpoint_every="3steps",
    )
    default = ExperimentConfig("tfidf_linear")
    for field in dataclasses.fields(config):
        if field.name not in ("model", "task"):
            assert getattr(config, field.name) != getattr(default, field.name), field.name
    assert again(config) == config


def test_pairs_are_read_in_their_own_way():
    rows = Split([join_pair("a", "b"), join_pair("c", "d")], [0, 1])
    data = TextDataset("pairs", ("x", "y"), rows, rows, rows, pair=("first", "second"))
    assert ExperimentConfig("transformer").task_for(data).label_names == ("x", "y")
    for long_texts in ("tail", "head_tail", "windows"):
        config = ExperimentConfig("transformer", {"long_texts": long_texts})
        with pytest.raises(OptionError, match=f"long_texts={long_texts} is not for pairs"):
            config.task_for(data)


def test_json_without_a_task_is_classification():
    content = ExperimentConfig("transformer").to_json()
    assert content.pop("task") == "classification"
    assert ExperimentConfig.from_json(content) == ExperimentConfig("transformer")


@pytest.mark.parametrize(
    "error, message, settings",
    [
        (UnknownNameError, "no model is called 'transfromer'", {"model": "transfromer"}),
        (UnknownNameError, "no task is called 'clasification'", {"task": "clasification"}),
        (UnknownNameError, "max_lenght", {"options": {"max_lenght": 3}}),
        (
            OptionError,
            "long_texts=tail is not for the task entities, which reads texts of any length",
            {"task": "entities", "options": {"long_texts": "tail"}},
        ),
        (UnknownNameError, "no strategy is called 'gpus'", {"strategy": "gpus"}),
        (OptionError, "trains for no epoch", {"recipe": Recipe(epochs=0)}),
        (OptionError, "seed must be", {"seed": -1}),
        (OptionError, "sometimes", {"checkpoint_every": "sometimes"}),
        (
            OptionError,
            "transformer has no encoder to freeze, and has no use for frozen_epochs",
            {"recipe": Recipe(frozen_epochs=2)},
        ),
        (
            OptionError,
            "is solved, not trained step by step, and has no use for epochs, patience",
            {"model": "tfidf_linear", "recipe": Recipe(epochs=9, patience=9)},
        ),
    ],
)
def test_a_mistake_is_found_without_data(error, message, settings):
    with pytest.raises(error, match=message):
        ExperimentConfig(**{"model": "transformer", **settings})


@pytest.mark.parametrize("model", ["tfidf_linear", "transformer"])
def test_a_presets_settings_fit_any_model(model):
    entry = find_model(model)
    options, fields = find_preset("sms_spam_seed").settings_for(entry, Classification)
    assert not unused_recipe_fields(entry, Classification).keys() & fields.keys()
    assert "epochs" not in fields
    ExperimentConfig(model, options, dataclasses.replace(entry.recipe, **fields))
