"""Loading by handle without a network, after an interrupted download, or from a bad folder."""

import http.server
import io
import shutil
import tarfile
import threading

import pytest
import tensorflow as tf

from kerasnlp_lab.bert import load_hub_layer
from kerasnlp_lab.bert.loading import load_preprocessing
from kerasnlp_lab.errors import HubError
from tests.tiny_bert import TINY_VOCABULARY


@pytest.fixture
def tfhub_cache(tmp_path, monkeypatch):
    cache = tmp_path / "tfhub_cache"
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(cache))
    return cache


@pytest.fixture
def server(monkeypatch):
    """A local web server. `server.cut` is the number of bytes after which it disconnects."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.server.body
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: self.server.cut])

        def log_message(self, *arguments):
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    "handle",
    [
        "https://tfhub.dev/tensorflow/bert_en_uncased_preprocess/3",
        "https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-4_H-128_A-2/1",
    ],
)
def test_tfhub_out_of_reach_is_one_line_that_says_what_to_do(handle, tfhub_cache, monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the discard port: nothing listens
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(HubError, match=f"cannot load {handle}") as caught:
        load_hub_layer(handle)
    message = str(caught.value)
    assert "\n" not in message
    assert f"TFHUB_CACHE_DIR ({tfhub_cache})" in message
    assert f"'kerasnlp-lab hub install {handle}' tries more places" in message
    assert "'kerasnlp-lab hub verify' finds a module that was cut short" in message


def test_an_interrupted_download_is_an_error_and_is_not_taken_for_whole(
    server, tfhub_cache, tiny_modules
):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(tiny_modules / "preprocess", arcname=".")
    server.body = archive.getvalue()
    server.cut = len(server.body) // 2
    handle = f"http://127.0.0.1:{server.server_port}/preprocess.tar.gz"
    with pytest.raises(HubError, match=f"cannot load {handle}"):
        load_hub_layer(handle)

    server.cut = None
    ids = load_hub_layer(handle)(tf.constant(["the cat sat"]))["input_word_ids"]
    pieces = ("[CLS]", "the", "cat", "sat", "[SEP]")
    assert ids.numpy()[0, :5].tolist() == [TINY_VOCABULARY.index(piece) for piece in pieces]


def test_preprocessing_is_loaded_once_until_its_files_change(tiny_modules, tmp_path):
    folder = tmp_path / "preprocess"
    shutil.copytree(tiny_modules / "preprocess", folder)
    first = load_preprocessing(str(folder))
    assert load_preprocessing(str(folder)) is first
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        assert load_preprocessing(str(folder)) is not first
    vocabulary = folder / "assets" / "vocab.txt"
    vocabulary.write_text(vocabulary.read_text().replace("\ncat\n", "\nbird\n"))
    ids = load_preprocessing(str(folder)).tokenize(tf.constant(["bird"])).to_list()
    assert ids == [[[TINY_VOCABULARY.index("cat")]]]
    shutil.rmtree(folder)
    with pytest.raises(HubError, match=f"{folder} does not exist"):
        load_preprocessing(str(folder))


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(HubError, match="nowhere does not exist"):
        load_hub_layer(str(tmp_path / "nowhere"))


def test_a_folder_without_a_module(tmp_path):
    with pytest.raises(HubError, match=f"cannot load {tmp_path}"):
        load_hub_layer(str(tmp_path))


def test_a_module_that_cannot_be_fetched_leaves_the_output_free(tmp_path, monkeypatch):
    """The corrected command can use the same output folder."""
    from kerasnlp_lab.data import load_dataset
    from kerasnlp_lab.lab import ExperimentConfig, compare, run_experiment

    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "empty"))
    name = "small_bert/bert_en_uncased_L-4_H-128_A-2"
    data = load_dataset("news_sample")
    with pytest.raises(
        HubError, match="cannot install https://tfhub.dev/.*; Hugging Face: no conn"
    ):
        run_experiment(ExperimentConfig(name), data, tmp_path / "run")
    with pytest.raises(HubError, match="cannot install https://tfhub.dev/"):
        compare(["tfidf_linear", name], data, tmp_path / "comparison")
    assert not (tmp_path / "run").exists() and not (tmp_path / "comparison").exists()
