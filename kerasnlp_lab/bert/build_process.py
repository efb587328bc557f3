"""The program that builds TF Hub modules in a process of its own.

Run it as ``python -m kerasnlp_lab.bert.build_process``.

A module keeps the seed that its dropout was built with. A fresh process gives every machine the
same one, and leaves the caller's random numbers where they were.

Its one argument is a JSON object of the arguments of `build_bert_modules`. It exits with status
3, the reason on the last line of stderr, if the checkpoint cannot be built.
"""

from __future__ import annotations

import json
import sys

from kerasnlp_lab._keras import keras
from kerasnlp_lab.bert.build import CANNOT_BE_BUILT, build_bert_modules
from kerasnlp_lab.errors import HubError


def main(arguments: str) -> int:
    keras.utils.set_random_seed(0)
    try:
        build_bert_modules(**json.loads(arguments))
    except HubError as error:
        print(error, file=sys.stderr)
        return CANNOT_BE_BUILT
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
