"""How many texts a second a fine-tuned MiniLM answers over HTTP, for clients of one text each.

All have the same export and the same texts, in the same order. The contestants:

  ours           kerasnlp-lab serve, POST /classify
  in_process     Predictor.predict, as many texts at a time as there are clients
  plain_server   FastAPI with a call of Predictor.predict for each request

The clients run beside the servers and take processor time from them; it is reported.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from bert_contestants import predict
from contestant import Contestants
from harness import Slices, compare
from history import report
from materials import ag_news, different, fine_tuned, question
from predict import agreement

from kerasnlp_lab import export_classifier


def main() -> None:
    parser = question("serve", __doc__, rounds=5, texts=2000)
    parser.add_argument("--clients", type=int, default=64, help="default 64")
    parser.add_argument("--export", type=Path, help="instead of MiniLM, fine-tuned first")
    parser.add_argument(
        "--fine-tune", type=int, default=640, help="on so many texts before; default 640"
    )
    arguments = parser.parse_args()
    data = ag_news(arguments)
    slices = Slices(different(data.train, data.test), arguments.texts)
    with tempfile.TemporaryDirectory() as name, Contestants(arguments.threads) as contestants:
        folder = arguments.export
        if folder is None:
            folder = Path(name, "export")
            print(
                f"fine-tuning MiniLM on {arguments.fine_tune} texts, and exporting it", flush=True
            )
            export_classifier(fine_tuned(data, slices.next(arguments.fine_tune)), folder)
        servers = {"ours": "ours", "in_process": "in process", "plain_server": "plain"}
        for one, server in servers.items():
            settings = {"folder": str(folder.resolve()), "clients": arguments.clients}
            contestants.start(one, "served", sys.executable, server=server, **settings)
        results = compare(
            contestants, slices, predict, rounds=arguments.rounds, least=4 * arguments.clients
        )
        same = agreement(results)
        print("same label as ours: " + ", ".join(f"{k} {v:.4f}" for k, v in same.items()))
        clients = {
            one: statistics.median(reply["client_seconds"] / reply["seconds"] for reply in replies)
            for one, replies in results.replies.items()
        }
        print(
            "processors that the clients took: "
            + ", ".join(f"{k} {v:.2f}" for k, v in clients.items())
        )
        report(arguments, contestants, results, agreement=same, client_processors=clients)


if __name__ == "__main__":
    main()
