"""A trained model as a small difference from its base: four bits a weight, added at load.

What training changes is small beside the weights, so that it bears coarse rounding: Liu et al. 2024
(arXiv 2402.10193) keep one bit of it. Here each block of :data:`BLOCK` changes has a scale of its
own (Dettmers et al. 2023, arXiv 2305.14314, section 2) and 15 steps.
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

FORMAT = "4 bits in blocks of 32"
CODES, SCALES, WHOLE = ".codes", ".scales", ".change"
BLOCK = 32
"""Neighbours in a row that share a scale."""
_TOP = 7  # codes are -7 to 7, stored with 8 added: two in a byte
_ZERO = 8


def extract(base: Mapping[str, Tensor], tuned: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the change from ``base`` to ``tuned``.

    Args:
        base: name -> weights; ``tuned`` has the same names and shapes.
        tuned: the trained weights.

    Returns:
        For a matrix whose rows are whole blocks, ``NAME.codes``, two a byte, shape (rows, columns
        / 2), and ``NAME.scales`` in bfloat16, shape (rows, columns / :data:`BLOCK`). For
        anything else ``NAME.change`` in half precision. Weights that did not change are left out.
    """
    adapter: dict[str, Tensor] = {}
    for name, before in base.items():
        change = tuned[name].float() - before.float()
        if not change.any():
            continue
        if change.ndim == 2 and change.shape[1] % BLOCK == 0:  # noqa: PLR2004
            adapter[name + CODES], adapter[name + SCALES] = _codes(change)
        else:
            adapter[name + WHOLE] = change.half()
    return adapter


def merge(base: Mapping[str, Tensor], adapter: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights that ``adapter`` makes of ``base``.

    Raises:
        KeyError: the adapter is of another model, or has a part that is none of an adapter's.
    """
    merged = {name: weights.clone() for name, weights in base.items()}
    for name, part in adapter.items():
        own, dot, kind = name.rpartition(".")
        if dot + kind == CODES:
            merged[own] += _change(part, adapter[own + SCALES]).to(merged[own].device)
        elif dot + kind == WHOLE:
            merged[own] += part.float().to(merged[own].device)
        elif dot + kind != SCALES:
            raise KeyError(name)
    return merged


def _codes(change: Tensor) -> tuple[Tensor, Tensor]:
    blocks = change.reshape(len(change), -1, BLOCK)
    scales = (blocks.abs().amax(dim=2) / _TOP).bfloat16()  # half's range ends too early
    steps = scales.float().clamp(min=torch.finfo(torch.float).tiny)[..., None]
    codes = ((blocks / steps).round().clamp(-_TOP, _TOP) + _ZERO).to(torch.uint8).flatten(1)
    return codes[:, ::2] | codes[:, 1::2] << 4, scales


def _change(codes: Tensor, scales: Tensor) -> Tensor:
    apart = torch.stack((codes & 0xF, codes >> 4), dim=2).flatten(1).float() - _ZERO
    blocks = apart.reshape(len(apart), -1, BLOCK) * scales.float()[..., None]
    return blocks.flatten(1)


def save(adapter: Mapping[str, Tensor], path: Path, base: Mapping[str, Tensor]) -> None:
    """Write ``adapter`` with the hash of the weights that it belongs to."""
    save_file(dict(adapter), path, metadata={"format": FORMAT, "base": weights_hash(base)})


def load(path: Path, base: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read an adapter and merge it into ``base``.

    Raises:
        DataError: it is missing, is no adapter, or belongs to other weights.
    """
    try:
        with safe_open(path, framework="pt") as file:
            said = file.metadata() or {}
            adapter = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise DataError(path, "the file is missing") from None
    except Exception as error:  # noqa: BLE001  safetensors raises its own, undeclared
        raise DataError(path, f"is no safetensors file: {error}") from None
    if said.get("format") != FORMAT:
        raise DataError(path, f"has format '{said.get('format')}', expected '{FORMAT}'")
    if said.get("base") != weights_hash(base):
        problem = f"belongs to weights {said.get('base')}, not to {weights_hash(base)}"
        raise DataError(path, problem)
    return merge(base, adapter)


def weights_hash(weights: Mapping[str, Tensor]) -> str:
    """Return a hash of names, shapes and values, the same on every machine."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().float().cpu().contiguous()
        digest.update(json.dumps([name, list(tensor.shape)]).encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]
