"""Our tasks as mteb tasks, our retrievers as mteb models, mteb models as our retrievers.

A bridged corpus carries each whole tool as JSON beside its text, so that a bridged retriever
indexes the records it was written for. A document from elsewhere becomes a tool with its title as
name and its text as description; without a title its text is all that a tool says of itself, since
a document's id is no part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from datasets import Dataset
from mteb.abstasks import AbsTaskRetrieval
from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.models import ModelMeta
from mteb.models.models_protocols import EncoderProtocol, SearchProtocol

from tool_bench.baseline import Baseline
from tool_bench.data.load import load
from tool_bench.dataset import Examples, Scope, ToolDataset
from tool_bench.errors import UnavailableError
from tool_bench.fingerprint import HARNESS_VERSION, baseline_hash
from tool_bench.mteb_models import cached_encoder, task_arguments
from tool_bench.prompt import PROMPT
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Ranking, Retriever
from tool_bench.runs import DEPTH, settle
from tool_bench.task import Task
from tool_bench.tool import Parameter, Style, Tool, render

K_VALUES = (1, 3, 5, DEPTH)  # mteb adds up what is named twice
_STYLE: Style = "name-description"


def metadata_of(task: Task) -> TaskMetadata:
    """Return the task's declaration as mteb's, which validates it."""
    return TaskMetadata.model_validate(
        {
            "name": task.name,
            "description": task.description,
            "reference": task.reference,
            "dataset": dict(task.dataset),
            "type": task.type,
            "category": task.category,
            "eval_splits": list(task.eval_splits),
            "eval_langs": {subset: list(langs) for subset, langs in task.eval_langs.items()},
            "main_score": task.main_score,
            "date": task.date,
            "domains": list(task.domains),
            "license": task.license,
            "annotations_creators": task.annotations_creators,
            "dialect": [],
            "task_subtypes": [],
            "sample_creation": task.sample_creation,
            "bibtex_citation": task.bibtex_citation,
            "prompt": {"query": PROMPT},
        }
    )


def mteb_task(task: Task, dataset: ToolDataset | None = None) -> AbsTaskRetrieval:
    """Return ``task`` as a task for ``mteb.evaluate``.

    Args:
        task: the declaration.
        dataset: its data; fetched and built on first use when not given.

    mteb's cache does not notice when our reading of the data changes: evaluate with
    ``cache=None``, or keep a cache of your own for each ``task.data_revision``.

    Its subsets are those of ``task.eval_langs``: scopes, and slices of scope ``global``.
    """

    class Bridged(AbsTaskRetrieval):
        metadata = metadata_of(task)
        k_values = K_VALUES

        def load_data(self, num_proc: int | None = None, **_: Any) -> None:  # noqa: ARG002  mteb's
            if self.data_loaded:
                return
            data = dataset or load(task)
            split = task.eval_splits[0]
            self.dataset = {s: {split: _split(data, s)} for s in task.eval_langs}
            self.data_loaded = True

    return Bridged()


def _split(data: ToolDataset, subset: str) -> RetrievalSplitData:
    scope: Scope = "scoped" if subset == "scoped" else "global"
    chosen = set(data.slices["all" if subset in data.scopes else subset])
    queries = [q for q in data.queries if q.id in chosen]
    relevance = data.relevant(scope)
    return RetrievalSplitData(
        corpus=Dataset.from_list([_document(tool) for tool in data.tools]),
        queries=Dataset.from_list([_request(query) for query in queries]),
        relevant_docs={q.id: dict(relevance[q.id]) for q in queries},
        top_ranked=(
            None
            if scope == "global"
            else {q.id: list(data.candidates(scope, q) or ()) for q in queries}
        ),
    )


def _request(query: Query) -> dict[str, str]:
    row = {"id": query.id, "text": query.text}
    return {**row, "instruction": query.instruction} if query.instruction else row


def _document(tool: Tool) -> dict[str, str]:
    return {
        "id": tool.id,
        "title": "",
        "text": render(tool, _STYLE),
        "tool": json.dumps(asdict(tool), ensure_ascii=False),
    }


def _tool(row: Mapping[str, Any]) -> Tool:
    if row.get("tool"):
        fields = json.loads(row["tool"])
        fields["parameters"] = tuple(Parameter(**p) for p in fields["parameters"])
        return Tool(**fields)
    if row.get("title"):
        return Tool(id=row["id"], name=row["title"], description=row["text"])
    return Tool(id=row["id"], name=row["text"])


class MtebModel:
    """One of our baselines as an mteb ``SearchProtocol``."""

    def __init__(self, baseline: Baseline, examples: Examples | None = None) -> None:
        self._retriever = baseline.load()
        self._examples = (examples or {}) if baseline.uses_examples else {}
        given = json.dumps(self._examples, sort_keys=True)
        state = f"{HARNESS_VERSION}|{baseline_hash(baseline)}|{given}"
        revision = hashlib.sha256(state.encode()).hexdigest()[:16]
        self._meta = ModelMeta.create_empty(
            {"name": f"tool-bench/{baseline.name}", "revision": revision}
        )

    @property
    def mteb_model_meta(self) -> ModelMeta:
        """Name and revision, which keep mteb's cache of one method apart from all others."""
        return self._meta

    def index(self, corpus: Iterable[Mapping[str, Any]], **_: Any) -> None:
        """Index the corpus."""
        tools = [_tool(row) for row in corpus]
        self._ids = frozenset(tool.id for tool in tools)
        self._retriever.index(tools, self._examples)

    def search(
        self,
        queries: Iterable[Mapping[str, Any]],
        *,
        top_k: int,
        top_ranked: Mapping[str, Sequence[str]] | None = None,
        **_: Any,
    ) -> dict[str, dict[str, float]]:
        """Rank; ``top_ranked`` is the list of candidates, and nothing else is returned."""
        rows = [
            Query(id=row["id"], text=row["text"], instruction=row.get("instruction"))
            for row in queries
        ]
        scopes: list[Candidates] = [None if top_ranked is None else top_ranked[q.id] for q in rows]
        rankings = self._retriever.search(rows, top_k, scopes)
        run = settle(rows, rankings, scopes, top_k, self._ids)
        return {query_id: dict(ranking) for query_id, ranking in run.items()}


class MtebSearcher:
    """An mteb ``SearchProtocol`` as one of our retrievers."""

    def __init__(self, model: SearchProtocol) -> None:
        self._model = model

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:  # noqa: ARG002  protocol
        """Index the catalogue."""
        self._corpus = Dataset.from_list([_document(tool) for tool in tools])
        self._hand_over()

    def _hand_over(self) -> None:
        self._model.index(self._corpus, encode_kwargs={}, num_proc=None, **task_arguments())

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Rank; candidates are passed on, and enforced because models may ignore them."""
        rows = Dataset.from_list([_request(query) for query in queries])
        scoped = any(candidates is not None for candidates in scopes)
        if getattr(self._model, "task_corpus", self._corpus) is None:
            self._hand_over()  # models that encode the corpus while they search drop it after
        found = self._model.search(
            rows,
            top_k=k,
            encode_kwargs={},
            num_proc=None,
            top_ranked=(
                {q.id: list(c or ()) for q, c in zip(queries, scopes, strict=True)}
                if scoped
                else None
            ),
            **task_arguments(),
        )
        rankings: list[Ranking] = []
        for query, candidates in zip(queries, scopes, strict=True):
            allowed = None if candidates is None else set(candidates)
            rankings.append(
                tuple(
                    (tool_id, float(score))
                    for tool_id, score in found.get(query.id, {}).items()
                    if allowed is None or tool_id in allowed
                )
            )
        return rankings


def load_from_mteb(meta: ModelMeta) -> Retriever:
    """Load a model of mteb's registry as a retriever.

    Raises:
        UnavailableError: a package it needs is missing, or it is of a kind that cannot retrieve.
    """
    from tool_bench.dense import DenseRetriever, rendered

    try:
        model = meta.load_model()
    except ImportError as error:
        raise UnavailableError(f"{meta.name}: {' '.join(str(error).split())}") from error
    if isinstance(model, SearchProtocol):
        return MtebSearcher(model)
    if isinstance(model, EncoderProtocol):
        encoder = cached_encoder(model, f"{meta.name}@{meta.revision}")
        return DenseRetriever(encoder, rendered(_STYLE))
    raise UnavailableError(f"{meta.name} is a {', '.join(meta.model_type)} model, not a retriever")
