"""kerasnlp_lab's pre-training, by the classes that `kerasnlp-lab pretrain` is made of."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import protocol
import tensorflow as tf

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.checkpoint import read_checkpoint
from kerasnlp_lab.bert.preprocessing import bert_tokenizer
from kerasnlp_lab.bert.pretraining_network import pretraining_network
from kerasnlp_lab.machine import best_precision
from kerasnlp_lab.recipe import Recipe
from kerasnlp_lab.text.masking import Masking, MaskingVocabulary
from kerasnlp_lab.text.order import steps_in_pass
from kerasnlp_lab.text.pretraining_batches import PretrainingBatches
from kerasnlp_lab.text.sequences import TokenSequences, pack_sequences
from kerasnlp_lab.training.checkpoints import Checkpoints
from kerasnlp_lab.training.fit import Fit
from kerasnlp_lab.training.interval import Interval
from kerasnlp_lab.training.pretraining_plan import PretrainingPlan

PACKAGES = ["kerasnlp_lab", "tensorflow", "tensorflow-text", "tf_keras", "tf-models-official"]
EVALUATION_BATCH = 32


class CountingBatches(PretrainingBatches):
    """Batches that count their sequences, and the tokens in them without padding."""

    tokens = rows = 0

    def make(self, step: int, rows: np.ndarray) -> Any:
        """Returns a batch."""
        features, targets = super().make(step, rows)
        self.tokens += int(features["input_mask"].sum())
        self.rows += len(rows)
        return features, targets


class OursPretraining:
    """Trains on documents (lists of sentences), and finds the loss of masked rows."""

    def prepare(self, threads: int, folder: str, length: int, next_sentence: bool) -> None:
        """Opens a folder.

        Args:
            threads: TensorFlow takes as many as there are processors.
            folder: With config.json, model.safetensors, vocab.txt, tokenizer_config.json.
            length: The longest sequence.
            next_sentence: Whether the next sentence is learned, too.
        """
        self.length, self.next_sentence = length, next_sentence
        self.checkpoint = read_checkpoint(folder)
        self.vocabulary = MaskingVocabulary.of_pieces(self.checkpoint.vocabulary)
        self.split = bert_tokenizer(
            Path(folder, "vocab.txt"),
            do_lower_case=self.checkpoint.do_lower_case,
            strip_accents=self.checkpoint.strip_accents,
        )

    def start(self, seed: int, steps: int, learning_rate: float, batch: int) -> None:
        """Makes the model, with new output layers; ``train`` makes the optimizer."""
        keras.utils.set_random_seed(seed)
        self.seed, self.batch, self.learning_rate = seed, batch, learning_rate
        self.model = pretraining_network(
            self.checkpoint,
            next_sentence=self.next_sentence,
            precision=best_precision(),
            seed=seed,
        )

    def train(self, documents: list[list[str]], steps: int | None = None) -> dict[str, Any]:
        """Takes so many steps, or those of one pass. Timed are all but the first.

        TensorFlow builds its graph in the first step, which is the others' warm-up. The rate of
        the other steps stands for all.
        """
        began = time.perf_counter()
        batches = self._batches(self._sequences(documents))
        sequences = len(batches.sequences)
        batch = min(self.batch, sequences)
        steps = steps_in_pass(sequences, batch) if steps is None else steps
        prepared = time.perf_counter()
        some = self._batches(self._sequences(documents[:EVALUATION_BATCH]))
        with tempfile.TemporaryDirectory() as folder:
            plan = PretrainingPlan(
                self.model,
                train=batches,
                validation=some,  # once, at the end
                recipe=Recipe(epochs=1, batch_size=batch, learning_rate=self.learning_rate),
                steps=steps,
                hidden_share=Masking.share,
                seed=self.seed,
                texts=None,
                fingerprint="",
            )
            checkpoints = Checkpoints(Path(folder, "checkpoints"))
            fit = Fit(plan, Path(folder), checkpoints, Interval("off"), None, keeps=False)
            state = fit.run()
        if not state.timed_texts:
            raise SystemExit(f"{len(documents)} texts make one step: give more --texts")
        return {
            "seconds": steps * batch * state.timed_seconds / state.timed_texts,
            "preparing": prepared - began,
            "tokens": round(steps * batch * batches.tokens / batches.rows),
            "sequences": steps * batch,
            "steps": steps,
        }

    def _sequences(self, documents: list[list[str]]) -> TokenSequences:
        def tokenize(sentences: list[str]) -> tuple[np.ndarray, np.ndarray]:
            ids = self.split(tf.constant(sentences)).merge_dims(1, -1)
            return ids.values.numpy(), ids.row_lengths().numpy()

        return pack_sequences(
            tokenize,
            documents,
            max_tokens=self.length,
            pairs=self.next_sentence,
            separator=self.vocabulary.separator,
        )

    def _batches(self, sequences: TokenSequences) -> CountingBatches:
        return CountingBatches(sequences, self.vocabulary, Masking(), seed=self.seed)

    def loss(self, rows: list[dict[str, list[int]]]) -> dict[str, float]:
        """Returns the mean loss of all hidden tokens of masked rows; see pretrain.py."""
        total, count = 0.0, 0
        for begin in range(0, len(rows), EVALUATION_BATCH):
            some = rows[begin : begin + EVALUATION_BATCH]
            length = max(len(row["ids"]) for row in some)
            ids, mask = np.zeros((2, len(some), length), np.int32)
            positions: list[int] = []
            originals: list[int] = []
            for number, row in enumerate(some):
                ids[number, : len(row["ids"])] = row["ids"]
                mask[number, : len(row["ids"])] = 1
                positions += [number * length + place for place in row["places"]]
                originals += row["originals"]
            features = {
                "input_word_ids": tf.constant(ids),
                "input_mask": tf.constant(mask),
                "input_type_ids": tf.zeros_like(ids),
                "masked_positions": tf.constant(positions, tf.int32),
            }
            logits = self.model.network(features, training=False)["masked_words"]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(originals, logits)
            total, count = total + float(tf.reduce_sum(losses)), count + len(originals)
        return {"loss": total / count}


if __name__ == "__main__":
    protocol.serve(OursPretraining(), PACKAGES)
