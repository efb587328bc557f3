"""A FastAPI server as a first draft has it: a text a call, in FastAPI's threads.

python plain_server.py FOLDER PORT
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

from kerasnlp_lab.export import open_predictor

app = FastAPI()
predictor = open_predictor(sys.argv[1])


@app.post("/classify")
def classify(body: dict[str, Any]) -> dict[str, Any]:
    """Answers the texts of a request."""
    return {"answers": [one.as_json() for one in predictor.predict(body["texts"])]}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
