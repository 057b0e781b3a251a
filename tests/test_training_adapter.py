"""A trained model as its difference from the base: four bits a weight, within half a step."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tool_bench.errors import DataError
from tool_bench.training.adapter import (
    BLOCK,
    CODES,
    SCALES,
    WHOLE,
    extract,
    load,
    merge,
    save,
    weights_hash,
)

Weights = dict[str, Tensor]


@pytest.fixture
def base() -> Weights:
    made = torch.Generator().manual_seed(1)
    return {
        "wide.weight": torch.randn(24, 2 * BLOCK, generator=made),
        "tall.weight": torch.randn(60, BLOCK, generator=made),
        "odd.weight": torch.randn(3, BLOCK + 1, generator=made),
        "bias": torch.randn(24, generator=made),
        "still.weight": torch.randn(24, BLOCK, generator=made),
        "positions": torch.arange(24),
    }


def tuned(base: Weights, scale: float = 0.05) -> Weights:
    """Return ``base`` after a change of all its weights but those named still."""
    made = torch.Generator().manual_seed(2)
    return {
        name: weights + scale * torch.randn(weights.shape, generator=made)
        if weights.is_floating_point() and "still" not in name
        else weights.clone()
        for name, weights in base.items()
    }


@pytest.mark.parametrize("scale", [1e-4, 0.05, 3.0])
def test_a_change_is_restored_within_half_a_step(base: Weights, scale: float) -> None:
    after = tuned(base, scale)
    adapter = extract(base, after)
    restored = merge(base, adapter)
    assert restored.keys() == base.keys()
    for name, weights in after.items():
        assert restored[name].dtype == weights.dtype
        if name + CODES not in adapter:
            torch.testing.assert_close(restored[name], weights, atol=3e-3 * scale, rtol=1e-6)
            continue
        blocks = (weights - base[name]).reshape(len(weights), -1, BLOCK)
        half_a_step = blocks.abs().amax(dim=2, keepdim=True) / 7 / 2
        off = (restored[name] - weights).reshape(blocks.shape).abs()
        assert (off <= half_a_step * 1.04 + 1e-6).all()
        assert off.square().sum() < 0.015 * blocks.square().sum()


def test_what_did_not_change_is_left_out_and_the_rest_is_small(base: Weights) -> None:
    adapter = extract(base, tuned(base))
    assert {name: (tuple(part.shape), part.dtype) for name, part in adapter.items()} == {
        "wide.weight" + CODES: ((24, BLOCK), torch.uint8),
        "wide.weight" + SCALES: ((24, 2), torch.bfloat16),
        "tall.weight" + CODES: ((60, BLOCK // 2), torch.uint8),
        "tall.weight" + SCALES: ((60, 1), torch.bfloat16),
        "odd.weight" + WHOLE: ((3, BLOCK + 1), torch.float16),
        "bias" + WHOLE: ((24,), torch.float16),
    }


def test_a_block_without_change_stays_as_it_was(base: Weights) -> None:
    after = {name: weights.clone() for name, weights in base.items()}
    after["wide.weight"][3, 5] += 0.7
    restored = merge(base, extract(base, after))["wide.weight"]
    torch.testing.assert_close(restored, after["wide.weight"], atol=1e-3, rtol=0)
    assert torch.equal(restored[4:], base["wide.weight"][4:])
    assert torch.equal(restored[3, BLOCK:], base["wide.weight"][3, BLOCK:])


def test_merging_leaves_the_base_as_it_is(base: Weights) -> None:
    before = {name: weights.clone() for name, weights in base.items()}
    merge(base, extract(base, tuned(base)))
    for name, weights in base.items():
        assert torch.equal(weights, before[name])


def test_an_adapter_of_a_model_that_did_not_change_changes_nothing(
    base: Weights, tmp_path: Path
) -> None:
    adapter = extract(base, base)
    assert adapter == {}
    save(adapter, tmp_path / "none.safetensors", base)
    for name, weights in load(tmp_path / "none.safetensors", base).items():
        assert torch.equal(weights, base[name])


def test_what_is_saved_is_loaded_into_the_same_base(base: Weights, tmp_path: Path) -> None:
    after = tuned(base)
    adapter = extract(base, after)
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
    save(extract(base, tuned(base)), path, base)
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
    save(extract(base, tuned(base)), path, base)
    whole = path.read_bytes()
    for damaged in (b"", b"no tensors at all", whole[:40], whole[:-1]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"v2\.safetensors: is no safetensors file"):
            load(path, base)
    save_file(dict(base), path)
    with pytest.raises(DataError, match=r"v2\.safetensors: has format 'None', expected '4 bits"):
        load(path, base)


def test_a_part_that_is_none_of_an_adapters_is_not_passed_over(base: Weights) -> None:
    adapter = extract(base, tuned(base))
    with pytest.raises(KeyError, match=r"bias\.left"):
        merge(base, {**adapter, "bias.left": base["bias"]})
    with pytest.raises(KeyError, match=r"wide\.weight\.scales"):
        merge(base, {n: part for n, part in adapter.items() if n != "wide.weight" + SCALES})


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
