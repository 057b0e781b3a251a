"""A task's data as a BEIR folder: ``corpus.jsonl``, ``queries.jsonl``, ``qrels/<split>.tsv``.

A tool is a document whose title is its name and whose text is its description. What BEIR has no
field for stands in ``metadata``, which other readers ignore: of a tool its ``provider``,
``category``, ``parameters``, ``raw`` and usage ``examples``; of a query its ``instruction``,
``provider`` and ``kind``.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import warnings
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tool_bench.data.lines import json_rows, need_id, table_rows, whole
from tool_bench.data.read import need
from tool_bench.dataset import Examples, Relevance, ToolDataset
from tool_bench.errors import DataError
from tool_bench.progress import report
from tool_bench.query import Query
from tool_bench.tool import Parameter, Tool

CORPUS = "corpus.jsonl"
QUERIES = "queries.jsonl"
QRELS = "qrels/{}.tsv"
SPLIT = "test"
_COLUMNS = ("query-id", "corpus-id", "score")
_HIGHEST_GRADE = 1_000
_REPORT_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class BeirData:
    """What a BEIR folder holds."""

    tools: tuple[Tool, ...]
    queries: tuple[Query, ...]
    """Those with a gold, in the order of the file."""
    relevance: Relevance
    examples: Examples
    without_gold: int
    """Queries that were left out since none of their grades is above 0."""
    not_relevant: int
    """Rows of the qrels that were left out since their grade is 0 or less."""


def write(dataset: ToolDataset, folder: Path) -> None:
    """Write ``dataset`` into the existing ``folder``, so that :func:`read` gives it back."""
    (folder / QRELS).parent.mkdir()
    documents = (_document(tool, dataset.examples.get(tool.id, ())) for tool in dataset.tools)
    requests = (_request(query) for query in dataset.queries)
    for name, rows in ((CORPUS, documents), (QUERIES, requests)):
        with (folder / name).open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    with (folder / QRELS.format(SPLIT)).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(_COLUMNS)
        for query in dataset.queries:
            table.writerows((query.id, t, g) for t, g in dataset.relevance[query.id].items())


def read(folder: Path, split: str = SPLIT) -> BeirData:
    """Check every row of a BEIR folder, then read it with beir's own loader.

    Raises:
        DataError: a file is missing or a row is not what it must be, with file and line.
    """
    documents = {id_: (where, own) for id_, where, own in _rows(folder / CORPUS, ("title",))}
    requests = {id_: (where, own) for id_, where, own in _rows(folder / QUERIES, ())}
    not_relevant = _check_qrels(folder, split, documents, requests)
    corpus, texts, grades = _load(folder, split)
    golds = {q: {t: g for t, g in own.items() if g > 0} for q, own in grades.items()}
    queries = tuple(
        _query(id_, texts[id_], own, folder / QUERIES, where)
        for id_, (where, own) in requests.items()
        if golds.get(id_)
    )
    examples = {
        id_: _strings(own, "examples", folder / CORPUS, where)
        for id_, (where, own) in documents.items()
        if "examples" in own
    }
    return BeirData(
        tools=tuple(
            _tool(id_, corpus[id_], own, folder / CORPUS, where)
            for id_, (where, own) in documents.items()
        ),
        queries=queries,
        relevance={query.id: golds[query.id] for query in queries},
        examples={id_: own for id_, own in examples.items() if own},
        without_gold=len(requests) - len(queries),
        not_relevant=not_relevant,
    )


def _rows(path: Path, optional: tuple[str, ...]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (id, place, metadata) of each row; a field of ``optional`` may be missing or null."""
    seen: set[str] = set()
    for where, row in json_rows(path):
        id_ = need_id(need(row, "_id", object, path, where), path, where)
        if id_ in seen:
            raise DataError(path, f"the id '{id_}' occurs twice", where)
        seen.add(id_)
        need(row, "text", str, path, where)
        for field in optional:
            _text(row, field, path, where)
        metadata = row.get("metadata") or {}
        if not isinstance(metadata, dict):
            problem = f"'metadata' is {type(metadata).__name__}, expected an object"
            raise DataError(path, problem, where)
        yield id_, where, whole(metadata)
        if len(seen) % _REPORT_EVERY == 0:
            report(f"read {path.name}", len(seen), 0)


def _check_qrels(folder: Path, split: str, tools: Container[str], queries: Container[str]) -> int:
    """Check every row of the qrels; return how many have a grade below 1."""
    path = folder / QRELS.format(split)
    if not path.is_file():
        there = ", ".join(sorted(p.stem for p in path.parent.glob("*.tsv"))) or "none"
        problem = f"the file does not exist; splits in this folder: {there} (--split chooses one)"
        raise DataError(path, problem)
    below = 0
    grades: dict[tuple[str, str], int] = {}
    with path.open("rb") as stream:
        rows = table_rows(stream, path, _COLUMNS)
        header = next(rows, None)
        if header is None or header[1] != list(_COLUMNS):
            problem = (
                f"the header must be {', '.join(_COLUMNS)}, separated by tabs; a first row that "
                "is none would be skipped unread"
            )
            raise DataError(path, problem, "line 1")
        for where, (query_id, tool_id, score) in rows:
            try:
                grade = int(score)
            except ValueError:
                problem = f"the score '{score}' is no whole number"
                raise DataError(path, problem, where) from None
            if abs(grade) > _HIGHEST_GRADE:
                problem = f"the score is beyond {_HIGHEST_GRADE}; grades are small whole numbers"
                raise DataError(path, problem, where)
            for id_, known, file in ((query_id, queries, QUERIES), (tool_id, tools, CORPUS)):
                if id_ not in known:
                    raise DataError(path, f"the id '{id_}' is not in {file}", where)
            if grades.setdefault((query_id, tool_id), grade) != grade:
                problem = f"'{tool_id}' has another grade for query '{query_id}' above"
                raise DataError(path, problem, where)
            below += grade < 1
    if not any(grade > 0 for grade in grades.values()):
        raise DataError(path, "no query has a grade above 0")
    return below


def _load(folder: Path, split: str) -> Any:
    """Return what beir's loader gives: corpus, texts of the queries, qrels."""
    from beir.datasets.data_loader import GenericDataLoader

    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):  # its progress bar
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves files open
        return GenericDataLoader(str(folder)).load(split)


def _document(tool: Tool, examples: tuple[str, ...]) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "provider": tool.provider,
        "category": tool.category,
        "parameters": [asdict(parameter) for parameter in tool.parameters],
        "raw": tool.raw,
        "examples": list(examples),
    }
    return {
        "_id": tool.id,
        "title": tool.name,
        "text": tool.description,
        "metadata": _without_gaps(metadata),
    }


def _request(query: Query) -> dict[str, Any]:
    metadata = {
        "instruction": query.instruction,
        "provider": query.provider,
        "kind": query.kind,
    }
    return {"_id": query.id, "text": query.text, "metadata": _without_gaps(metadata)}


def _without_gaps(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if value not in (None, [])}


def _tool(
    id_: str, document: Mapping[str, Any], metadata: dict[str, Any], path: Path, where: str
) -> Tool:
    parameters = metadata.get("parameters", [])
    if not isinstance(parameters, list):
        raise _wrong(path, "parameters", parameters, "a list of objects", where)
    return Tool(
        id=id_,
        name=whole(document["title"]) or id_,
        description=whole(document["text"]),
        parameters=tuple(
            Parameter(
                name=need(parameter, "name", str, path, where),
                type=_text(parameter, "type", path, where) or "",
                description=_text(parameter, "description", path, where) or "",
                required=_flag(parameter, "required", path, where),
            )
            for parameter in parameters
        ),
        provider=_text(metadata, "provider", path, where),
        category=_text(metadata, "category", path, where),
        raw=_text(metadata, "raw", path, where),
    )


def _query(id_: str, text: str, metadata: dict[str, Any], path: Path, where: str) -> Query:
    return Query(
        id=id_,
        text=whole(text),
        instruction=_text(metadata, "instruction", path, where),
        provider=_text(metadata, "provider", path, where),
        kind=_text(metadata, "kind", path, where),
    )


def _text(row: dict[str, Any], field: str, path: Path, where: str) -> str | None:
    value = row.get(field)
    if isinstance(value, str | None):
        return value
    raise _wrong(path, field, value, "a string", where)


def _flag(row: dict[str, Any], field: str, path: Path, where: str) -> bool:
    value = row.get(field, False)
    if isinstance(value, bool):
        return value
    raise _wrong(path, field, value, "true or false", where)


def _strings(row: dict[str, Any], field: str, path: Path, where: str) -> tuple[str, ...]:
    value = row.get(field, [])
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise _wrong(path, field, value, "a list of strings", where)


def _wrong(path: Path, field: str, value: object, expected: str, where: str) -> DataError:
    problem = (
        f"'{field}' is {type(value).__name__}, expected {expected}; correct it, or remove it "
        "from the metadata"
    )
    return DataError(path, problem, where)
