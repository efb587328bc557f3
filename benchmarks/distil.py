"""What people use in place of a BERT that is too slow: accuracy and texts a second on AG News.

  ours             a run of 'kerasnlp-lab distil'
  ours_plain       a run of the same model that was not distilled
  ours_teacher     the run that the student learned from
  fasttext         fastText with bigrams, 25 epochs
  model2vec        Model2Vec: a static model distilled from MiniLM, and its own classifier
  set_fit_student  SetFit's distillation: three of MiniLM's layers

All read the same labelled rows; a run may have read unlabelled texts, too. Ours are runs that were
trained before; the peers train here, on training and validation rows, since they do not choose an
epoch. Speeds are in turns, from strings to labels.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bert_contestants import predict
from contestant import Contestants
from environments import python_of
from from_scratch_train import rows_of, test_accuracy
from harness import Slices, compare
from history import report
from materials import MINILM, ag_news, different, question, write_hugging_face

from kerasnlp_lab import create_classifier
from kerasnlp_lab.training import RunDirectory

PEERS = {
    "fasttext": ("fast_text", "peers-fasttext"),
    "model2vec": ("model2vec_classifier", "peers-model2vec"),
    "set_fit_student": ("set_fit_student", "peers-setfit"),
}


def main() -> None:
    parser = question("distil", __doc__, rounds=5, texts=1400)
    for name in ("student", "plain", "teacher"):
        parser.add_argument(f"--{name}", type=Path, required=name == "student", help="a run")
    parser.add_argument("--only", nargs="+", default=list(PEERS), choices=PEERS, help="the peers")
    parser.add_argument("--steps", type=int, default=500, help="of SetFit's; default 500")
    arguments = parser.parse_args()
    data = ag_news(arguments)
    (texts, labels), more = rows_of(data.train), rows_of(data.validation)
    slices = Slices(different(data.test, data.train), arguments.texts)
    given = {"ours": "student", "ours_plain": "plain", "ours_teacher": "teacher"}
    runs = {name: getattr(arguments, option) for name, option in given.items()}
    with tempfile.TemporaryDirectory() as folder, Contestants(arguments.threads) as contestants:
        write_hugging_face(create_classifier(MINILM, ["a", "b"], []), Path(folder), head=False)
        for name, run in runs.items():
            if run is not None:
                model = str(RunDirectory.open(run).model.absolute())
                contestants.start(name, "ours", sys.executable, folder=model)
        for name in arguments.only:
            script, extra = PEERS[name]
            settings = {"normalized": True} if name == "fasttext" else {"folder": folder}
            peer = contestants.start(name, script, python_of(extra), **settings)
            fields = {"steps": arguments.steps} if name == "set_fit_student" else {}
            took = peer.ask(
                "train", texts=texts + more[0], labels=labels + more[1], seed=0, **fields
            )
            print(f"{name} trained in {took['seconds']:.0f} s", flush=True)
        results = compare(contestants, slices, predict, rounds=arguments.rounds, least=200)
        accuracy = {one.name: test_accuracy(one, data) for one in contestants}
        for name, value in accuracy.items():
            print(f"test accuracy, {name}: {value:.4f}")
        report(arguments, contestants, results, accuracy=accuracy)


if __name__ == "__main__":
    main()
