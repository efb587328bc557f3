"""The lists of choices: `zoo list`, `zoo show`, `zoo tasks` and `data list`."""

from kerasnlp_lab.tasks import task_names
from tests.cli.command import run


def test_zoo_list_has_a_line_a_model():
    lines = run("zoo", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "seed_transformer",
        "lstm",
        "rnn_attention",
        "transformer",
        "tfidf_linear",
        "hash_embed_cnn",
        "minilm_l6_h384",
        "small_bert/bert_en_uncased_L-4_H-128_A-2",
        "rnn_seq2seq",
    ]
    assert all(len(line.split()) > 4 for line in lines)  # each with a summary


def test_zoo_show_has_what_train_can_be_given():
    lines = [line.split(maxsplit=1) for line in run("zoo", "show", "transformer").out.splitlines()]
    shown = dict(line for line in lines if len(line) == 2)
    assert shown["licence"] == "Apache-2.0"
    assert shown["embed_dim"] == "48"  # an option
    assert shown["batch_size"] == "64"  # a setting of the recipe


def test_zoo_tasks_has_a_line_a_task():
    lines = run("zoo", "tasks").out.splitlines()
    assert [line.split()[0] for line in lines] == task_names()
    assert all("`" not in line and len(line.split()) > 4 for line in lines)


def test_data_list_has_a_line_a_dataset():
    lines = run("data", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "ag_news",
        "dates",
        "news_entities",
        "news_sample",
        "sms_spam",
    ]
    classes = [line.split("; ")[-1] for line in lines]
    news = "World, Sports, Business, Sci/Tech"
    # The dates have no classes, so that their licence is last.
    assert classes == [news, "CC0-1.0", "organization, person, place", news, "ham, spam"]
