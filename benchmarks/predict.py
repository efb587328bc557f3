"""How fast a fine-tuned MiniLM predicts, from strings to labels: texts a second.

All have the same weights and head, and are asked for the same labels. The contestants:

  ours          kerasnlp_lab.zoo.predict_logits with its defaults, its graph built before
  keras_hub     KerasHub's BertTextClassifier.predict, its own preprocessor at 128
  hugging_face  pipeline("text-classification"), batches of 32, float32
  torch_best    PyTorch in batches of similar length, inference_mode, weights in bfloat16
                where the machine has that, as kerasnlp_lab computes there
  onnx_runtime  ONNX Runtime in batches of similar length, float32
"""

from __future__ import annotations

import sys

from bert_contestants import KERAS_HUB, TORCH, fine_tuned_forms, hugging_face_at_its_best, predict
from contestant import Contestants
from environments import python_of
from harness import Results, Slices, compare
from history import report
from materials import ag_news, different, question


def agreement(results: Results) -> dict[str, float]:
    """Returns the share of texts, of those that both were given, with our label."""
    shares = {}
    for name, replies in results.replies.items():
        pairs = [
            own == other
            for ours, theirs in zip(results.replies["ours"], replies, strict=True)
            for own, other in zip(ours["labels"], theirs["labels"], strict=False)
        ]
        shares[name] = sum(pairs) / len(pairs)
    return shares


def main() -> None:
    parser = question("predict", __doc__, rounds=5, texts=1024)
    parser.add_argument(
        "--fine-tune", type=int, default=640, help="on so many texts before; default 640"
    )
    arguments = parser.parse_args()
    data = ag_news(arguments)
    slices = Slices(different(data.train, data.test), arguments.texts)
    with (
        fine_tuned_forms(data, slices.next(arguments.fine_tune)) as folders,
        Contestants(arguments.threads) as contestants,
    ):
        form, torch = {"folder": folders["hugging_face"]}, python_of(TORCH)
        best = hugging_face_at_its_best()
        contestants.start("ours", "ours", sys.executable, folder=folders["ours"])
        contestants.start("keras_hub", "kerashub_bert", python_of(KERAS_HUB), **form)
        contestants.start("hugging_face", "hugging_face", torch, best=False, **form)
        contestants.start("torch_best", "hugging_face", torch, **form, **best)
        contestants.start("onnx_runtime", "onnx_bert", torch, **form)
        results = compare(
            contestants, slices, predict, rounds=arguments.rounds, least=64, multiple=32
        )
        shares = agreement(results)
        print("same label as ours: " + ", ".join(f"{k} {v:.4f}" for k, v in shares.items()))
        report(arguments, contestants, results, agreement=shares)


if __name__ == "__main__":
    main()
