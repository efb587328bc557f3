"""The Model Garden's BertPretrainerV2 with static masks, trained as its task masked_lm does."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import protocol
import tensorflow as tf
from official.nlp import optimization
from official.nlp.data import create_pretraining_data as static
from official.nlp.data.pretrain_dataloader import BertPretrainDataConfig, BertPretrainDataLoader
from official.nlp.modeling import layers, models
from official.nlp.tasks.masked_lm import MaskedLMConfig, MaskedLMTask
from official.nlp.tools import tokenization

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.checkpoint import read_checkpoint
from kerasnlp_lab.bert.encoder import bert_encoder, set_tensors

PACKAGES = ["tensorflow", "tf_keras", "tf-models-official"]
PREDICTIONS = 20  # max_predictions_per_seq, as the Model Garden advises for 128
SHARE, SHORT = 0.15, 0.1  # masked_lm_prob, short_seq_prob: their defaults
EVALUATION_BATCH = 32


class ModelGardenPretraining:
    """Trains on documents (lists of sentences), and finds the loss of masked rows."""

    def prepare(self, threads: int, folder: str, length: int, next_sentence: bool) -> None:
        """Opens a folder.

        Args:
            threads: TensorFlow takes as many as there are processors.
            folder: With config.json, model.safetensors, vocab.txt, tokenizer_config.json.
            length: What every sequence is padded to.
            next_sentence: Whether the model has a head that finds the next sentence.
        """
        tf.get_logger().setLevel("ERROR")  # it would warn that the encoder's pooler is not trained
        self.folder, self.length, self.next_sentence = Path(folder), length, next_sentence
        self.tokenizer = tokenization.FullTokenizer(
            vocab_file=str(self.folder / "vocab.txt"), do_lower_case=True
        )
        checkpoint = read_checkpoint(self.folder)
        self.config, self.tensors = checkpoint.config, checkpoint.tensors

    def start(self, seed: int, steps: int, learning_rate: float, batch: int) -> None:
        """Makes the model, with new output layers, and the Model Garden's optimizer."""
        keras.utils.set_random_seed(seed)
        self.seed, self.batch = seed, batch
        encoder = bert_encoder(self.config)  # networks.BertEncoder
        set_tensors(encoder, self.tensors)
        initializer = keras.initializers.TruncatedNormal(stddev=self.config.initializer_range)
        head = layers.ClassificationHead(
            self.config.hidden_size, 2, dropout_rate=0.1, name="next_sentence"
        )
        self.model = models.BertPretrainerV2(
            encoder,
            mlm_activation={
                "gelu": keras.activations.gelu,
                "gelu_tanh": lambda x: keras.activations.gelu(x, approximate=True),
                "relu": keras.activations.relu,
            }[self.config.activation],
            mlm_initializer=initializer,
            classification_heads=[head] if self.next_sentence else [],
        )
        self.task = MaskedLMTask(
            MaskedLMConfig(
                train_data=BertPretrainDataConfig(use_next_sentence_label=self.next_sentence)
            )
        )
        metrics = self.task.build_metrics()
        tokens = tf.Variable(0, dtype=tf.int64, trainable=False)
        optimizer = optimization.create_optimizer(
            init_lr=learning_rate, num_train_steps=steps, num_warmup_steps=steps // 10
        )

        @tf.function
        def take(iterator: Any, count: tf.Tensor) -> None:
            """Takes steps in one graph, as the Model Garden's trainer does."""
            for _ in tf.range(count):
                inputs = next(iterator)
                self.task.train_step(inputs, self.model, optimizer, metrics)
                tokens.assign_add(tf.reduce_sum(tf.cast(inputs["input_mask"], tf.int64)))

        self.take, self.tokens = take, tokens

    def train(self, documents: list[list[str]], steps: int | None = None) -> dict[str, Any]:
        """Takes so many steps, or those of one pass. Timed are the steps.

        Masks are drawn before: once for each pass that the steps make over the documents.
        """
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            count = self._write(documents, Path(folder, "examples"), steps)
            wanted = max(1, count // self.batch) if steps is None else steps
            settings = BertPretrainDataConfig(
                input_path=str(Path(folder, "examples")),
                seq_length=self.length,
                max_predictions_per_seq=PREDICTIONS,
                use_next_sentence_label=self.next_sentence,
                use_v2_feature_names=True,
                global_batch_size=self.batch,
                is_training=True,
                seed=self.seed,
            )
            iterator = iter(BertPretrainDataLoader(settings).load())
            self.tokens.assign(0)
            self.take(iterator, tf.constant(0))  # builds the graph
            prepared = time.perf_counter()
            self.take(iterator, tf.constant(wanted))
            tokens = int(self.tokens.numpy())
            seconds = time.perf_counter() - prepared
        return {
            "seconds": seconds,
            "preparing": prepared - began,
            "tokens": tokens,
            "sequences": wanted * self.batch,
            "steps": wanted,
        }

    def _write(self, documents: list[list[str]], target: Path, steps: int | None) -> int:
        """Writes sequences with static masks as create_pretraining_data does; returns how many."""
        lines = "\n\n".join("\n".join(sentences) for sentences in documents)
        source = target.with_name("documents.txt")
        source.write_text(lines + "\n", encoding="utf-8")
        # A document makes one sequence or more in a pass.
        passes = 1 if steps is None else -(-steps * self.batch // len(documents))
        instances = static.create_training_instances(
            [str(source)],
            self.tokenizer,
            static.get_processor_text_fn(False, True),
            self.length,
            passes,  # dupe_factor
            SHORT,
            SHARE,
            PREDICTIONS,
            random.Random(self.seed),
        )
        static.write_instance_to_example_files(
            instances, self.tokenizer, self.length, PREDICTIONS, [str(target)], False, True
        )
        return len(instances)

    def loss(self, rows: list[dict[str, list[int]]]) -> dict[str, float]:
        """Returns the mean loss of all hidden tokens of masked rows; see pretrain.py."""

        def padded(values: list[list[int]], length: int) -> tf.Tensor:
            found = np.zeros((len(values), length), np.int32)
            for row, of_row in enumerate(values):
                found[row, : len(of_row)] = of_row
            return tf.constant(found)

        total, count = 0.0, 0
        for begin in range(0, len(rows), EVALUATION_BATCH):
            some = rows[begin : begin + EVALUATION_BATCH]
            inputs = {
                "input_word_ids": padded([row["ids"] for row in some], self.length),
                "input_mask": padded([[1] * len(row["ids"]) for row in some], self.length),
                "input_type_ids": tf.zeros((len(some), self.length), tf.int32),
                "masked_lm_positions": padded([row["places"] for row in some], PREDICTIONS),
            }
            logits = self.model(inputs, training=False)["mlm_logits"]
            originals = padded([row["originals"] for row in some], PREDICTIONS)
            weights = padded([[1] * len(row["places"]) for row in some], PREDICTIONS)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(originals, logits)
            total += float(tf.reduce_sum(losses * tf.cast(weights, tf.float32)))
            count += int(tf.reduce_sum(weights))
        return {"loss": total / count}


if __name__ == "__main__":
    protocol.serve(ModelGardenPretraining(), PACKAGES)
