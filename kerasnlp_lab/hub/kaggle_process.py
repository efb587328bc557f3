"""The program that fetches a model from Kaggle with kagglehub, in a process of its own.

Run it as ``python -m kerasnlp_lab.hub.kaggle_process HANDLE FOLDER``. It prints the folder that the
model is in, or exits with status 1 and the reason on stderr, in one line.
"""

from __future__ import annotations

import re
import sys

import kagglehub


def main(handle: str, folder: str) -> int:
    try:
        print(kagglehub.model_download(handle, output_dir=folder))
    except Exception as error:  # kagglehub and requests have many types of errors
        text = " ".join(f"{type(error).__name__}: {error}".split())
        found = re.search("Failed to resolve '[^']+'|Connection refused", text)
        print(f"no connection ({found[0]})" if found else text[:300], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
