"""Every mistake gives one line with a remedy and exit status 2, and leaves no files."""

import json
import shutil
import subprocess
import sys

import pytest
import tensorflow as tf

from tests.cli.command import run


def assert_mistake(result, *parts):
    assert result.code == 2, result.out + result.err
    assert result.err.count("\n") == 1, result.err
    assert result.err.startswith("kerasnlp-lab: ")
    assert "Traceback" not in result.err
    for part in parts:
        assert part in result.err


def train(*arguments, model="transformer", dataset="news_sample"):
    return run("train", "--model", model, "--dataset", dataset, *arguments)


def test_the_process_ends_with_status_2_and_one_line():
    command = [sys.executable, "-m", "kerasnlp_lab", "predict", "model", "--file", "nowhere.txt"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == (
        "kerasnlp-lab: nowhere.txt: no such file; expected a file with a text on each line\n"
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--option", "embed_dmi=3"], "no option of transformer is called 'embed_dmi'; did you"),
        (["--option", "embed_dim"], "expected --option NAME=VALUE, got 'embed_dim'"),
        (["--option", "embed_dim=big"], "embed_dim must be of type int, got 'big'"),
        (["--option", "embed_dim=0"], "embed_dim"),
        (["--option", "num_heads=0"], "num_heads"),
        (["--option", "max_length=0"], "max_length"),
        (["--option", "vocab_size=1"], "vocab_size"),
        (["--option", "dropout=1.5"], "dropout"),
        (["--option", "token_dropout=-1"], "token_dropout"),
        (["--epochs", "0"], "epochs to 1 or more"),
        (["--epochs", "-1"], "epochs must be 0 or more, got -1"),
        (["--batch-size", "0"], "batch_size must be 1 or more, got 0"),
        (["--learning-rate", "0"], "learning_rate must be above 0, got 0.0"),
        (["--optimizer", "sgd"], "optimizer must be 'adamw' or 'adam', got 'sgd'"),
        (["--label-smoothing", "1"], "label_smoothing must be from 0 to below 1, got 1.0"),
        (["--warmup-fraction", "-0.1"], "warmup_fraction must be from 0 to below 1, got -0.1"),
        (["--patience", "0"], "patience must be 1 or more, got 0"),
        (["--strategy", "tpu"], "no strategy is called 'tpu'"),
        (["--validation-fraction", "0"], "validation fraction must lie between 0 and 1, got 0.0"),
        (["--validation-fraction", "0.001"], "cannot take 0% of 544 training rows"),
        (["--seed", "-1"], "seed"),
        (["--split-seed", "-1"], "seed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_train_with_an_option_that_cannot_be(arguments, message, tmp_path):
    """The corrected command must be able to use the same --output."""
    # Two steps are enough to fail quickly if the training starts despite the mistake.
    quick = ("--epochs", "1", "--min-steps-per-epoch", "1", "--batch-size", "400")
    result = train(*quick, *arguments, "--output", tmp_path / "run")
    assert_mistake(result, message)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["longest_ngram=-1", "min_df=-1", "tokens=letters"])
def test_an_option_of_tfidf_that_cannot_be(option, tmp_path):
    result = train("--option", option, "--output", tmp_path / "run", model="tfidf_linear")
    assert_mistake(result, option.partition("=")[0])
    assert not (tmp_path / "run").exists()


def test_an_unknown_model_is_told_its_likely_name(tmp_path):
    result = train("--output", tmp_path / "run", model="transfomer")
    assert_mistake(result, "no model is called 'transfomer'; did you mean 'transformer'?")
    assert not (tmp_path / "run").exists()


def test_an_unknown_dataset_is_told_its_likely_name():
    result = train(dataset="news_sampel")
    assert_mistake(result, "no dataset is called 'news_sampel'; did you mean 'news_sample'?")


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="there is a GPU")
@pytest.mark.parametrize(
    "command", [("train", "--model", "transformer"), ("compare", "--models", "tfidf_linear")]
)
def test_a_gpu_that_is_not_there(command, tmp_path):
    arguments = ("--dataset", "news_sample", "--strategy", "gpu", "--output", tmp_path / "run")
    assert_mistake(run(*command, *arguments), "no GPU is visible to TensorFlow", "--strategy cpu")
    assert not (tmp_path / "run").exists()


def test_an_output_directory_with_something_in_it(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    result = train("--output", tmp_path)
    assert_mistake(result, f"{tmp_path} already exists; remove it, or name another --output")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_output_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    result = train("--output", tmp_path / "file" / "run")
    assert_mistake(result, f"cannot write {tmp_path / 'file' / 'run'}: Not a directory")


def test_a_dataset_with_other_classes(finished_run, tmp_path):
    shutil.copytree(finished_run, tmp_path / "run")
    file = tmp_path / "run" / "model" / "classifier.json"
    description = json.loads(file.read_text())
    description["task"]["label_names"] = ["a", "b", "c", "d"]
    file.write_text(json.dumps(description))
    result = run("evaluate", tmp_path / "run", "--dataset", "news_sample")
    assert_mistake(result, "news_sample has the classes World, Sports, Business, Sci/Tech")
    assert_mistake(result, f"the classifier in {tmp_path / 'run'} has a, b, c, d")


def test_a_resumed_run_takes_no_other_settings(tmp_path):
    words = ["--resume", tmp_path, "--strategy", "cpu", "--json", "--recipe", "sms_spam"]
    result = run("train", *words, "--dataset", "sms_spam", "--epochs", 3)
    assert_mistake(result, "from the run directory; leave out --recipe, --dataset, --epochs")


def test_an_unknown_split(finished_run):
    result = run("evaluate", finished_run, "--dataset", "news_sample", "--split", "tset")
    assert_mistake(result, "no split is called 'tset'; did you mean 'test'?")


USES = [("evaluate", "--dataset", "news_sample"), ("export", "--to"), ("predict", "a text")]


def use(command, folder, tmp_path):
    name, *rest = command
    return run(name, folder, *rest, *([tmp_path / "to"] if name == "export" else []))


@pytest.mark.parametrize("command", USES)
def test_a_run_that_did_not_finish(command, finished_run, tmp_path):
    shutil.copytree(finished_run, tmp_path / "run")
    (tmp_path / "run" / "metrics.json").unlink()
    result = use(command, tmp_path / "run", tmp_path)
    assert_mistake(result, f"the run in {tmp_path / 'run'} did not finish")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("command", USES)
def test_a_folder_that_is_no_run(command, tmp_path):
    (tmp_path / "run").mkdir()
    assert_mistake(use(command, tmp_path / "run", tmp_path), str(tmp_path / "run"), "config.json")


@pytest.mark.parametrize("spoil", ["empty", "half", "missing"])
@pytest.mark.parametrize(
    "name", ["classifier.json", "weights.safetensors", "text/ngrams.txt", "text/idf.npy"]
)
def test_a_damaged_model_gives_no_answers(name, spoil, finished_run, tmp_path):
    shutil.copytree(finished_run, tmp_path / "run")
    file = tmp_path / "run" / "model" / name
    content = file.read_bytes()
    if spoil == "missing":
        file.unlink()
    else:
        file.write_bytes(content[: len(content) // 2] if spoil == "half" else b"")
    assert_mistake(run("predict", tmp_path / "run", "Stocks fell"), str(tmp_path / "run"))


def test_an_altered_export_gives_no_answers(exported, tmp_path):
    shutil.copytree(exported, tmp_path / "exported")
    with open(tmp_path / "exported" / "saved_model.pb", "ab") as file:
        file.write(b"\0")
    result = run("predict", tmp_path / "exported", "Stocks fell")
    assert_mistake(result, f"{tmp_path / 'exported' / 'saved_model.pb'} has been altered")


def test_an_export_into_a_folder_with_something_in_it(finished_run, exported):
    before = json.loads((exported / "assets.extra" / "manifest.json").read_text())
    assert_mistake(run("export", finished_run, "--to", exported), f"{exported} already exists")
    assert json.loads((exported / "assets.extra" / "manifest.json").read_text()) == before


def test_texts_and_a_file_at_once(exported, tmp_path):
    (tmp_path / "texts.txt").write_text("a text")
    result = run("predict", exported, "a text", "--file", tmp_path / "texts.txt")
    assert_mistake(result, "give texts or --file, not both")


def test_data_install_of_another_dataset(tmp_path):
    result = run("data", "install", "imdb", "--from", tmp_path)
    assert_mistake(result, "no dataset to install is called 'imdb'; known: ag_news")


def test_data_install_from_nowhere(tmp_path):
    result = run("data", "install", "ag_news", "--from", tmp_path / "nowhere")
    assert_mistake(result, f"{tmp_path / 'nowhere'}: no such file or folder")


def test_zoo_show_of_an_unknown_model():
    assert_mistake(run("zoo", "show", "minilm"), "no model is called 'minilm'", "minilm_l6_h384")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("compare", "--dataset", "news_sample"), "say either --models NAME,NAME (see 'zoo list')"),
        (("train", "--model", "transformer", "--epochs", "three"), "'--epochs'"),
        (("predict", "model", "--format", "xml"), "'--format'"),
        (("train", "--model"), "option '--model' requires an argument"),
        (("zoo", "show", "a", "b"), "unexpected extra argument"),
    ],
)
def test_usage(arguments, message):
    assert_mistake(run(*arguments), message)


NEWS = ("--dataset", "news_sample")


@pytest.mark.parametrize(
    "line, message",
    [
        ("trian", "no command is called 'trian'; did you mean 'train'?"),
        ("data instal", "no command of data is called 'instal'; did you mean 'install'?"),
        ("hub lsit --json", "no command of hub is called 'lsit'; did you mean 'list'?"),
        ("train --epoch 3", "no option of train is called '--epoch'; did you mean '--epochs'?"),
        ("train --epoch=3", "no option of train is called '--epoch'; did you mean '--epochs'?"),
        (
            "data inspect t.csv --lable-column x",
            "no option of data inspect is called '--lable-column'; did you mean '--label-column'?",
        ),
        ("--verison", "did you mean '--version'?"),
        ("zoo show Transformr", "did you mean 'transformer'?"),
        (
            "hub install small_bert/bert_en_uncased_L-4_H-128_A2",
            "did you mean 'small_bert/bert_en_uncased_L-4_H-128_A-2'?",
        ),
        (
            "hub install https://tfhub.dev/tensorflow/bert_en_uncased_preproces",
            "did you mean 'tensorflow/bert_en_uncased_preprocess'?",
        ),
        (
            "train --model small_bert/bert_en_uncased_L-4_H-128_A2 --dataset news_sample",
            "did you mean 'small_bert/bert_en_uncased_L-4_H-128_A-2'?",
        ),
        ("train --recipe sms_spamm", "no recipe is called 'sms_spamm'; did you mean 'sms_spam'?"),
        (
            "train --model tfidf_linear --dataset news_sample --strategy miror",
            "no strategy is called 'miror'; did you mean 'mirrored'?",
        ),
        (
            "train --model tfidf_linear --dataset news_sample --task clasification",
            "no task is called 'clasification'; did you mean 'classification'?",
        ),
        ("data install ag_new --from x", "did you mean 'ag_news'?"),
        ("data inspect t.csv --model tfidf_linaer", "did you mean 'tfidf_linear'?"),
        (
            "train --model tfidf_linear --dataset sms_span --class-weight hma=2",
            "did you mean 'sms_spam'?",
        ),
    ],
)
def test_a_misspelt_name_is_told_the_likely_one(line, message):
    assert_mistake(run(*line.split()), message)


def test_a_misspelt_class(tmp_path):
    words = ("--class-weight", "Sprots=2", "--output", tmp_path / "run")
    assert_mistake(train(*words, model="tfidf_linear"), "did you mean 'Sports'?")


def test_a_misspelt_column(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("message,kind\na,b\n")
    words = ("train", "--model", "tfidf_linear", "--data", table)
    result = run(*words, "--text-column", "mesage", "--label-column", "kind")
    assert_mistake(result, "no column 'mesage'; there are message, kind; did you mean 'message'?")


@pytest.mark.parametrize(
    "line",
    [
        "evaluate RUN --dataset news_sample",
        "export RUN --to nowhere",
        "predict RUN text",
        "train --resume RUN",
        "hub build --from RUN --to nowhere",
        "train --data RUN --model tfidf_linear",
        "evaluate {run} --data RUN",
        "predict {run} --file RUN",
        "hub install small_bert/bert_en_uncased_L-4_H-128_A-2 --from RUN",
        "data install sms_spam --from RUN",
        "data install ag_news --from RUN",
    ],
)
def test_a_misspelt_path(line, finished_run, tmp_path):
    (tmp_path / "runs" / "first").mkdir(parents=True)
    missing = str(tmp_path / "rusn" / "frist")
    line = line.format(run=finished_run).replace("RUN", missing)
    result = run(*line.split())
    assert_mistake(result, missing, f"did you mean '{tmp_path / 'runs' / 'first'}'?")
    assert not (tmp_path / "rusn").exists()


def test_a_misspelt_folder_with_a_bert(tiny_checkpoint, tmp_path):
    (tmp_path / "my_bert").symlink_to(tiny_checkpoint)
    result = train(model=tmp_path / "my_brt")
    assert_mistake(result, f"no model is called '{tmp_path / 'my_brt'}'", f"'{tmp_path}/my_bert'?")
