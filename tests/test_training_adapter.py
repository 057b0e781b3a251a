"""A trained model as low-rank factors: exact where the rank allows, the best there is elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tool_bench.errors import DataError
from tool_bench.training.adapter import LEFT, RIGHT, WHOLE, extract, load, merge, save, weights_hash

Weights = dict[str, Tensor]


@pytest.fixture
def base() -> Weights:
    made = torch.Generator().manual_seed(1)
    return {
        "wide.weight": torch.randn(24, 60, generator=made),
        "tall.weight": torch.randn(60, 24, generator=made),
        "small.weight": torch.randn(3, 4, generator=made),
        "bias": torch.randn(24, generator=made),
        "still.weight": torch.randn(24, 24, generator=made),
        "positions": torch.arange(24),
    }


def tuned(base: Weights, rank: int, scale: float = 0.05) -> Weights:
    """Return ``base`` after a change of ``rank`` to its matrices, and any change to the rest."""
    made = torch.Generator().manual_seed(2)
    found = {name: weights.clone() for name, weights in base.items()}
    for name in ("wide.weight", "tall.weight", "small.weight"):
        rows, columns = base[name].shape
        left = torch.randn(rows, rank, generator=made)
        found[name] += scale * left @ torch.randn(rank, columns, generator=made)
    found["bias"] += scale * torch.randn(24, generator=made)
    return found


def test_a_change_of_the_rank_that_is_kept_is_restored(base: Weights) -> None:
    after = tuned(base, rank=4)
    restored = merge(base, extract(base, after, rank=4))
    assert restored.keys() == base.keys()
    for name, weights in after.items():
        assert restored[name].dtype == weights.dtype
        torch.testing.assert_close(restored[name], weights, atol=2e-3, rtol=0)


def test_at_full_rank_any_change_is_restored(base: Weights) -> None:
    """Factors would be larger than the change there, which is kept as it is."""
    after = tuned(base, rank=24)
    adapter = extract(base, after, rank=24)
    assert not [name for name in adapter if name.endswith((LEFT, RIGHT))]
    for name, weights in merge(base, adapter).items():
        torch.testing.assert_close(weights, after[name], atol=2e-3, rtol=0)


def test_what_did_not_change_is_left_out_and_the_rest_is_half_precision(base: Weights) -> None:
    adapter = extract(base, tuned(base, rank=2), rank=2)
    assert set(adapter) == {
        "wide.weight.left",
        "wide.weight.right",
        "tall.weight.left",
        "tall.weight.right",
        "small.weight.change",
        "bias.change",
    }
    assert {part.dtype for part in adapter.values()} == {torch.float16}
    assert adapter["wide.weight" + LEFT].shape == (24, 2)
    assert adapter["wide.weight" + RIGHT].shape == (2, 60)
    assert adapter["bias" + WHOLE].shape == (24,)


@pytest.mark.parametrize("rank", [1, 3, 7, 15])
def test_a_truncated_change_is_the_best_of_its_rank(base: Weights, rank: int) -> None:
    """Its error is the norm of the singular values that are left out (Eckart and Young)."""
    after = tuned(base, rank=24)
    restored = merge(base, extract(base, after, rank=rank))
    for name in ("wide.weight", "tall.weight"):
        change = (after[name] - base[name]).double().numpy()
        kept = (restored[name] - base[name]).double().numpy()
        singular = np.linalg.svd(change, compute_uv=False)
        least = np.sqrt((singular[rank:] ** 2).sum())
        assert np.linalg.matrix_rank(kept, tol=1e-3 * singular[0]) == rank
        assert np.linalg.norm(change - kept) == pytest.approx(least, rel=1e-3)


def test_more_rank_is_never_worse(base: Weights) -> None:
    after = tuned(base, rank=24)
    errors = [
        float(
            (merge(base, extract(base, after, rank=r))["wide.weight"] - after["wide.weight"]).norm()
        )
        for r in range(1, 24, 3)
    ]
    assert errors == sorted(errors, reverse=True)


def test_merging_leaves_the_base_as_it_is(base: Weights) -> None:
    before = {name: weights.clone() for name, weights in base.items()}
    merge(base, extract(base, tuned(base, rank=2), rank=2))
    for name, weights in base.items():
        assert torch.equal(weights, before[name])


def test_an_adapter_of_a_model_that_did_not_change_changes_nothing(
    base: Weights, tmp_path: Path
) -> None:
    adapter = extract(base, base, rank=4)
    assert adapter == {}
    save(adapter, tmp_path / "none.safetensors", base)
    for name, weights in load(tmp_path / "none.safetensors", base).items():
        assert torch.equal(weights, base[name])


def test_what_is_saved_is_loaded_into_the_same_base(base: Weights, tmp_path: Path) -> None:
    after = tuned(base, rank=2)
    adapter = extract(base, after, rank=2)
    path = tmp_path / "v2.safetensors"
    save(adapter, path, base)
    whole = sum(weights.numel() * 4 for weights in base.values())
    assert path.stat().st_size < whole / 4
    loaded, merged = load(path, base), merge(base, adapter)
    for name, weights in merged.items():
        assert torch.equal(loaded[name], weights)


@pytest.mark.parametrize("name", ["wide.weight", "still.weight", "bias", "positions"])
def test_another_base_is_refused(base: Weights, tmp_path: Path, name: str) -> None:
    path = tmp_path / "v2.safetensors"
    save(extract(base, tuned(base, rank=2), rank=2), path, base)
    other = {**base, name: base[name] + 1}
    with pytest.raises(DataError, match=r"v2\.safetensors: belongs to weights \w{16}, not to \w"):
        load(path, other)
    without = {key: weights for key, weights in base.items() if key != name}
    with pytest.raises(DataError, match="belongs to weights"):
        load(path, without)


def test_a_damaged_file_is_named(base: Weights, tmp_path: Path) -> None:
    path = tmp_path / "v2.safetensors"
    with pytest.raises(DataError, match=r"v2\.safetensors: the file is missing"):
        load(path, base)
    save(extract(base, tuned(base, rank=2), rank=2), path, base)
    whole = path.read_bytes()
    for damaged in (b"", b"no tensors at all", whole[:40], whole[:-1]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"v2\.safetensors: is no safetensors file"):
            load(path, base)
    save_file(dict(base), path)
    with pytest.raises(DataError, match=r"v2\.safetensors: belongs to weights None"):
        load(path, base)


def test_the_hash_is_that_of_names_shapes_and_values(base: Weights) -> None:
    same = dict(reversed([(name, weights.clone()) for name, weights in base.items()]))
    assert weights_hash(same) == weights_hash(base)
    others = [
        {**base, "bias": base["bias"].reshape(4, 6)},
        {**base, "bias": base["bias"] + 1e-6},
        {"other" if name == "bias" else name: weights for name, weights in base.items()},
    ]
    assert len({weights_hash(each) for each in (base, *others)}) == 4
    strided = {**base, "tall.weight": base["tall.weight"].T.contiguous().T}
    assert weights_hash(strided) == weights_hash(base)
    trained = {**base, "bias": base["bias"].clone().requires_grad_()}
    assert weights_hash(trained) == weights_hash(base)
