"""Signed training on Modal's GPUs: the entry point in a container, and nothing of its own.

Deploy it from a checkout, with Modal's client installed (``pip install modal``):
``modal deploy -m tool_bench.training.modal_app``. docs/signed-training.md says how to prepare and
use it.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import modal  # type: ignore[import-not-found]  # only those who deploy install it

from tool_bench.training import entry
from tool_bench.training.keys import parse_allowed

NAME = "tool-bench-training"
"""Of the app, and of the secret that holds :data:`ALLOWED` and what ``s3://`` needs."""
ALLOWED = "TOOL_BENCH_ALLOWED_KEYS"
"""Environment variable: the text of the list of allowed keys."""
GPU = "L4"
"""Computes in bfloat16 and holds encoders of 100M parameters several times over."""
LONGEST_S = 24 * 3_600
"""Modal's limit."""
RUNS = Path("/runs")
SHIPPED = (
    "LICENSE",
    "README.md",
    "baselines",
    "docs",
    "pyproject.toml",
    "requirements.lock",
    "site",
    "tasks",
    "tool_bench",
)
"""What the package is built of. Nothing else of a checkout is sent: keys may lie in it."""


def left_out(path: Path) -> bool:
    """Tell whether a file, relative to the checkout, stays on the machine that deploys."""
    built = {"__pycache__", "public"} & set(path.parts)
    return path.parts[0] not in SHIPPED or path.suffix == ".pem" or bool(built)


image = (
    modal.Image.debian_slim(python_version="3.12")
    .add_local_dir(Path(__file__).resolve().parents[2], "/source", copy=True, ignore=left_out)
    .uv_pip_install(
        "tool-bench[train] @ file:///source",
        "s3fs",
        extra_options="--constraints /source/requirements.lock",
    )
)
runs = modal.Volume.from_name("tool-bench-runs", create_if_missing=True)
used = modal.Dict.from_name("tool-bench-used-requests", create_if_missing=True)
settings = modal.Secret.from_name(NAME, required_keys=[ALLOWED])
app = modal.App(NAME, image=image, include_source=False)  # the image has the whole package


@app.function(gpu=GPU, timeout=LONGEST_S, volumes={str(RUNS): runs}, secrets=[settings])  # type: ignore[untyped-decorator]  # modal's
def start(signed: bytes) -> dict[str, Any]:
    """Train as a signed request says; return what :func:`tool_bench.training.entry.run` made.

    Modal may stop a function at any time and call it again with the same input. Such a call keeps
    its id: it is judged by the time of its first start, the request is still its own, and training
    goes on in the same folder of the volume.
    """
    call = modal.current_function_call_id() or secrets.token_hex(16)
    began = datetime.fromisoformat(first(call, datetime.now(UTC).isoformat()))
    allowed = parse_allowed(os.environ[ALLOWED], ALLOWED)
    made = entry.run(
        signed, allowed, lambda nonce, _: first(nonce, call) == call, RUNS / call, now=began
    )
    return asdict(made)


def first(key: str, value: str) -> str:
    """Return the first value that any call gave for ``key``.

    A Dict's put is atomic, whereas two containers may create the same file of a Volume.
    """
    return value if used.put(key, value, skip_if_exists=True) else str(used[key])


@app.local_entrypoint()  # type: ignore[untyped-decorator]  # modal's
def main(request: str) -> None:
    """Send a signed request: ``modal run -m tool_bench.training.modal_app --request FILE``."""
    print(start.remote(Path(request).read_bytes()))
