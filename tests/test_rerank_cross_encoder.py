from __future__ import annotations

import importlib
import math
from pathlib import Path

import fakes
import mteb
import pytest
import tiny

from tool_bench import hub
from tool_bench.baseline import Baseline
from tool_bench.errors import UnavailableError
from tool_bench.plan import make_plan

BASELINES = importlib.import_module("tool_bench.baselines.rerank_cross_encoder").BASELINES
ALL = pytest.mark.parametrize("declared", BASELINES, ids=lambda baseline: baseline.name)


@ALL
def test_what_is_declared_is_what_mteb_knows(declared: Baseline) -> None:
    meta = mteb.get_model_meta(declared.name)
    assert declared.revision == meta.revision
    assert declared.trained_on == tuple(sorted(meta.training_datasets or ()))
    assert meta.n_parameters in {None, declared.parameters}
    assert meta.license in {None, declared.license}
    assert meta.memory_usage_mb is not None
    assert declared.needs.memory_gib == math.ceil(meta.memory_usage_mb / 1024) + 2


@ALL
def test_no_weights_are_fetched_unasked(
    declared: Baseline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.hub_cache(tmp_path / "hub", monkeypatch)
    (cell,) = make_plan([fakes.TASK], [declared], tmp_path / "results")
    assert cell.state == "unavailable"
    assert f"run --model {declared.name} fetches them" in cell.note
    asked = hub.model_baseline(declared.name)
    assert asked.needs.weights is None
    with pytest.raises(UnavailableError, match="cannot be had"):
        asked.load()


def test_a_cross_encoder_orders_what_the_first_stage_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both stages and the harness, with a tiny model in the place of the real weights."""
    declared = BASELINES[0]
    cache = tiny.hub_cache(tmp_path / "hub", monkeypatch)
    model = tiny.cross_encoder(tmp_path / "model")
    tiny.snapshot(cache, declared.name, declared.revision, model)
    results = tmp_path / "results"
    (cell,) = make_plan([fakes.TASK], [declared], results)
    assert cell.state == "to run"
    data = fakes.dataset()
    retriever = declared.load()
    retriever.index(data.tools, {})
    (ranking,) = retriever.search(data.queries[:1], 12, [None])
    scorer = importlib.import_module("tool_bench.cross_encoder").cross_encoder(str(model), "")
    texts = {tool.id: f"{tool.name}: {tool.description}" for tool in data.tools}
    scores = scorer(data.queries[0].text, list(texts.values()))
    assert dict(ranking) == pytest.approx(dict(zip(texts, scores.tolist(), strict=True)), abs=1e-5)
