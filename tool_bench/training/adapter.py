"""A trained model as a small difference from its base: low-rank factors, merged at load.

Hu et al. 2021 (arXiv 2106.09685) train such factors; here they are also taken from a model of which
all weights were trained: the best approximation of each weight's change at a given rank is its
truncated singular value decomposition (Eckart and Young 1936).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from tool_bench.errors import DataError

LEFT, RIGHT, WHOLE = ".left", ".right", ".change"


def extract(
    base: Mapping[str, Tensor], tuned: Mapping[str, Tensor], rank: int
) -> dict[str, Tensor]:
    """Return the change from ``base`` to ``tuned`` as half-precision factors.

    Args:
        base: name -> weights; ``tuned`` has the same names and shapes.
        tuned: the trained weights.
        rank: of the factors of each matrix; vectors, and matrices that the factors would not make
            smaller, are kept whole. Weights that did not change are left out.
    """
    adapter: dict[str, Tensor] = {}
    for name, before in base.items():
        change = tuned[name].float() - before.float()
        if not change.any():
            continue
        if change.ndim == 2 and rank * sum(change.shape) < change.numel():  # noqa: PLR2004
            left, singular, right = torch.linalg.svd(change, full_matrices=False)
            root = singular[:rank].sqrt()
            adapter[name + LEFT] = (left[:, :rank] * root).half().contiguous()
            adapter[name + RIGHT] = (root[:, None] * right[:rank]).half().contiguous()
        else:
            adapter[name + WHOLE] = change.half()
    return adapter


def merge(base: Mapping[str, Tensor], adapter: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights that ``adapter`` makes of ``base``.

    Raises:
        KeyError: the adapter is of another model.
    """
    merged = {name: weights.clone() for name, weights in base.items()}
    for name, part in adapter.items():
        if name.endswith(LEFT):
            own = name.removesuffix(LEFT)
            merged[own] += part.float() @ adapter[own + RIGHT].float()
        elif name.endswith(WHOLE):
            merged[name.removesuffix(WHOLE)] += part.float()
    return merged


def save(adapter: Mapping[str, Tensor], path: Path, base: Mapping[str, Tensor]) -> None:
    """Write ``adapter`` with the hash of the weights that it belongs to."""
    save_file(dict(adapter), path, metadata={"base": weights_hash(base)})


def load(path: Path, base: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read an adapter and merge it into ``base``.

    Raises:
        DataError: it is missing, is no adapter, or belongs to other weights.
    """
    try:
        with safe_open(path, framework="pt") as file:
            made_of = (file.metadata() or {}).get("base")
            adapter = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise DataError(path, "the file is missing") from None
    except Exception as error:  # noqa: BLE001  safetensors raises its own, undeclared
        raise DataError(path, f"is no safetensors file: {error}") from None
    if made_of != weights_hash(base):
        raise DataError(path, f"belongs to weights {made_of}, not to {weights_hash(base)}")
    return merge(base, adapter)


def weights_hash(weights: Mapping[str, Tensor]) -> str:
    """Return a hash of names, shapes and values, the same on every machine."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().float().cpu().contiguous()
        digest.update(json.dumps([name, list(tensor.shape)]).encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]
