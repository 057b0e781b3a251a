"""Which tools fit a request: a function for a function-as-a-service platform.

It needs onnxruntime, tokenizers and numpy, and the folder that
``tool-bench export MODEL --onnx DIR --catalogue tools.json`` makes: as ``model`` beside this file,
or wherever TOOL_BENCH_MODEL says. The request is ``{"query": text, "k": 10, "provider": name}``,
the last two of which may be left out: an event by itself, or the body of an HTTP event.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

MOST_TOOLS = 100
MOST_CHARACTERS = 2_000
FIELDS = ("query", "k", "provider")


class BadRequestError(Exception):
    """The caller can mend it; the text says how."""


class Search:
    """A model and a catalogue, both in memory."""

    def __init__(self, folder: Path) -> None:
        for name in ("config.json", "tokenizer.json", "model.onnx", "catalogue.npz"):
            if not (folder / name).is_file():
                command = "tool-bench export MODEL --onnx DIR --catalogue tools.json"
                raise RuntimeError(f"{folder / name} is missing; make it: {command}")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with np.load(folder / "catalogue.npz") as file:
            catalogue = json.loads(file["catalogue"].tobytes())
            # column by column: so one thread multiplies them in half the time
            self.vectors = file["vectors"].astype(np.float32, order="F")
        if catalogue["model_sha256"] != config["model_sha256"]:
            raise RuntimeError(f"{folder}: the catalogue was encoded with another model")
        self.tools: list[dict[str, Any]] = catalogue["tools"]
        providers: dict[str, list[int]] = {}
        for row, tool in enumerate(self.tools):
            providers.setdefault(tool["provider"] or "", []).append(row)
        self.rows_of = {name: np.array(rows) for name, rows in providers.items() if name}
        self.prompt: str = config["prompts"]["query"]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def encode(self, query: str) -> Any:
        """Return the unit vector of ``query``, shape (dimensions,), float32."""
        tokens = self.tokenizer.encode(self.prompt + query)
        ids, mask = np.array([[tokens.ids], [tokens.attention_mask]], dtype=np.int64)
        return self.session.run(None, {"input_ids": ids, "attention_mask": mask})[0][0]

    def answer(self, request: Any) -> dict[str, Any]:
        """Return the best tools, best first; raises BadRequestError."""
        query, k, provider = checked(request)
        if provider is not None and provider not in self.rows_of:
            raise BadRequestError(f"no tool of the catalogue has the provider '{provider}'")
        rows = np.arange(len(self.tools)) if provider is None else self.rows_of[provider]
        vectors = self.vectors if provider is None else self.vectors[rows]
        scores = vectors @ self.encode(query)
        k = min(k, len(rows))
        best = np.argpartition(-scores, k - 1)[:k]
        best = best[np.argsort(-scores[best], kind="stable")]
        return {"tools": [self.tools[rows[n]] | {"score": float(scores[n])} for n in best]}


def checked(request: Any) -> tuple[str, int, str | None]:
    """Return query, k and provider; raises BadRequestError."""
    if not isinstance(request, dict):
        raise BadRequestError("the request must be a JSON object")
    for field in request:
        if field not in FIELDS:
            raise BadRequestError(f"unknown field '{field}'; known: {', '.join(FIELDS)}")
    query, k, provider = request.get("query"), request.get("k", 10), request.get("provider")
    if not isinstance(query, str) or not query.strip() or len(query) > MOST_CHARACTERS:
        raise BadRequestError(f"field 'query' must be a text of 1 to {MOST_CHARACTERS} characters")
    if type(k) is not int or not 1 <= k <= MOST_TOOLS:
        raise BadRequestError(f"field 'k' must be a whole number from 1 to {MOST_TOOLS}")
    if provider is not None and not isinstance(provider, str):
        raise BadRequestError("field 'provider' must be a text or null")
    return query.encode("utf-8", "replace").decode(), k, provider  # half a surrogate pair is '?'


def handler(event: Any, context: object = None) -> dict[str, Any]:  # noqa: ARG001  the platform's
    """Answer one event: an HTTP event's body, or the event itself."""
    try:
        request = event
        if isinstance(event, dict) and "body" in event:
            try:
                body = event["body"]
                body = base64.b64decode(body) if event.get("isBase64Encoded") else body
                request = json.loads(body)
            except (TypeError, ValueError, RecursionError):
                raise BadRequestError("the body is not valid JSON") from None
        status, answer = 200, SEARCH.answer(request)
    except BadRequestError as error:
        status, answer = 400, {"error": str(error)}
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(answer)}


SEARCH = Search(Path(os.environ.get("TOOL_BENCH_MODEL", Path(__file__).parent / "model")))
