from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
from sentence_transformers import CrossEncoder
from torch.nn import Identity

from tool_bench.cross_encoder import cross_encoder
from tool_bench.errors import UnavailableError, UsageError

NAME, REVISION = "tests/tiny-reranker", "5" * 40
TEXTS = [f"{verb}_{noun}" for verb in ("create", "delete") for noun in "abcdefghijklmnopqrstuvw"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return tiny.hub_cache(tmp_path / "hub", monkeypatch)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.cross_encoder(tmp_path_factory.mktemp("model"))


def test_each_text_is_scored_beside_the_request(cache: Path, model: Path) -> None:
    tiny.snapshot(cache, NAME, REVISION, model)
    score = cross_encoder(NAME, REVISION)
    scores = score("make a user", TEXTS)
    assert scores.shape == (len(TEXTS),)
    assert scores.dtype == np.float32
    direct = CrossEncoder(str(model), device="cpu")
    raw = [
        direct.predict([("make a user", text)], activation_fn=Identity())[0].item()
        for text in TEXTS
    ]
    assert scores == pytest.approx(raw, abs=1e-5)
    assert len(set(scores.tolist())) > 1
    assert score("remove a user", TEXTS) != pytest.approx(scores, abs=1e-5)
    assert score("make a user", []).shape == (0,)


def test_a_folder_gives_the_same_scores(cache: Path, model: Path) -> None:
    tiny.snapshot(cache, NAME, REVISION, model)
    local = cross_encoder(str(model), "")("make a user", TEXTS)
    assert local == pytest.approx(cross_encoder(NAME, REVISION)("make a user", TEXTS))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:40])


def test_weights_that_cannot_be_had_are_unavailable(cache: Path) -> None:
    with pytest.raises(UnavailableError, match=f"weights of {NAME} cannot be had: .*hf download"):
        cross_encoder(NAME, REVISION)


@pytest.mark.parametrize("harm", [Path.unlink, cut])
@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_snapshot_that_is_not_whole_is_unavailable(
    cache: Path, model: Path, file: str, harm: Callable[[Path], None]
) -> None:
    folder = tiny.snapshot(cache, NAME, REVISION, model)
    harm(folder / file)
    with pytest.raises(UnavailableError, match=str(folder)):
        cross_encoder(NAME, REVISION)


def test_a_reranker_that_does_not_fit_is_unavailable(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = cross_encoder(str(model), "")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(CrossEncoder, "predict", fail)
    with pytest.raises(UnavailableError, match="ran out of memory"):
        score("make a user", TEXTS)


def test_a_model_with_several_scores_cannot_rank(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gives 3 scores for a pair"):
        cross_encoder(str(tiny.cross_encoder(tmp_path, labels=3)), "")
