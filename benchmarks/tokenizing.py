"""How fast texts become BERT's word pieces: texts a second. The ids must be the same.

ours             from a list of texts to a file of ids, as for training
ours_bare        to ids in memory, as for prediction; the peers' stay there, too
tokenizers       Hugging Face's tokenizers (Rust), encode_batch
tokenizers_fast  the same by encode_batch_fast, which leaves offsets out
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bert_contestants import TORCH, tokenize
from contestant import Contestants
from environments import python_of
from harness import Results, Slices, compare
from history import report
from materials import MINILM, ag_news, different, question, write_hugging_face

from kerasnlp_lab import create_classifier


def differing(results: Results) -> dict[str, int]:
    """Returns how many texts have other ids than ours, of those that both were given."""
    return {
        name: sum(
            own != other
            for ours, theirs in zip(results.replies["ours"], replies, strict=True)
            for own, other in zip(ours["ids"], theirs["ids"], strict=False)
        )
        for name, replies in results.replies.items()
    }


def main() -> None:
    arguments = question("tokenizing", __doc__, rounds=6, texts=2400).parse_args()
    data = ag_news(arguments)
    slices = Slices(different(data.train, data.test), arguments.texts)
    classifier = create_classifier(MINILM, data.label_names, [])
    length = classifier.text.max_length - classifier.text.special_tokens
    with tempfile.TemporaryDirectory() as folder, Contestants(arguments.threads) as contestants:
        write_hugging_face(classifier, Path(folder), head=False)
        for name, bare in (("ours", False), ("ours_bare", True)):
            contestants.start(name, "ours_tokenizer", sys.executable, bare=bare)
        settings = {"folder": folder, "length": length}
        for name, fast in (("tokenizers", False), ("tokenizers_fast", True)):
            contestants.start(name, "rust_tokenizer", python_of(TORCH), fast=fast, **settings)
        results = compare(contestants, slices, tokenize, rounds=arguments.rounds, least=1024)
        differ = differing(results)
        print(f"texts with other ids than ours: {differ}")
        report(arguments, contestants, results, texts_that_differ=differ)


if __name__ == "__main__":
    main()
