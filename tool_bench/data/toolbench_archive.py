"""ToolBench's own retrieval data, read from its archive or unpacked folder.

``retrieval/G1|G2|G3`` as upstream's ``preprocess_retriever_data.py`` writes it, with pandas:

===================  ======================================================================
``corpus.tsv``       ``docid``, ``document_content`` (header): one row for each time a
                     request offers an API, so rows repeat; the content is the API as JSON
``test.query.txt``   query id, text: one row for each gold, so rows repeat
``qrels.test.tsv``   query id, 0, docid, 1
``train.*``          likewise
===================  ======================================================================
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from tool_bench.data.archive_members import members, readable
from tool_bench.data.lines import need_id, parsed, table_rows, whole
from tool_bench.data.toolbench_api import api_tool, document
from tool_bench.errors import DataError
from tool_bench.progress import report
from tool_bench.tool import Tool

GROUPS = ("G1", "G2", "G3")
CORPUS = "corpus.tsv"
QUERIES = "{}.query.txt"
QRELS = "qrels.{}.tsv"
TRAINING = (QUERIES.format("train"), QRELS.format("train"))

_REQUIRED = (CORPUS, QUERIES.format("test"), QRELS.format("test"))
_REPORT_EVERY = 10_000


@dataclass
class Group:
    """What one group's files hold."""

    places: dict[str, Path] = field(default_factory=dict)
    """Name of a file -> where it was found."""
    tools: dict[str, Tool] = field(default_factory=dict)
    """Docid -> its API."""
    queries: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """``test`` or ``train`` -> {query id: text}."""
    labels: dict[str, dict[tuple[str, str], tuple[str, int]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """``test`` or ``train`` -> {(query id, docid): (place of the row, label)}."""
    repeated: dict[str, int] = field(default_factory=dict)
    """Name of a file -> rows that repeat an earlier one."""

    def golds(self, split: str) -> dict[str, list[str]]:
        """Return query id -> docids.

        Raises:
            DataError: a label names a query or a document that is not there.
        """
        golds: dict[str, list[str]] = defaultdict(list)
        place = self.places[QRELS.format(split)]
        for (query_id, docid), (where, label) in self.labels[split].items():
            if query_id not in self.queries[split]:
                problem = f"query {query_id} is not in {QUERIES.format(split)}"
                raise DataError(place, problem, where)
            if docid not in self.tools:
                raise DataError(place, f"document {docid} is not in {CORPUS}", where)
            if label:
                golds[query_id].append(docid)
        return golds


def read_groups(path: Path) -> dict[str, Group]:
    """Read every group that ``path`` holds: name -> group.

    Args:
        path: the archive (zip or tar) or a folder in which it was unpacked.

    Raises:
        DataError: it holds no group, a group lacks a file, or a row is not what it must be.
    """
    groups: dict[str, Group] = {}
    with readable(path):
        for member, stream in members(path, _is_wanted):
            name, file = member.parts[-2:]
            group = groups.setdefault(name, Group())
            shown = Path(member) if path.is_dir() else path / member
            if file in group.places:
                problem = f"the same file is at {group.places[file]}; give the folder of one"
                raise DataError(shown, problem)
            group.places[file] = shown
            _read_file(group, file, stream)
    if not groups:
        problem = "holds no retrieval/G1, retrieval/G2 or retrieval/G3 with a corpus.tsv"
        raise DataError(path, problem)
    for name, group in groups.items():
        missing = [file for file in _REQUIRED if file not in group.places]
        if missing:
            place = next(iter(group.places.values())).parent
            are = "are" if len(missing) > 1 else "is"
            problem = f"{' and '.join(missing)} {are} missing: {name} needs {', '.join(_REQUIRED)}"
            raise DataError(place, problem)
    return {name: groups[name] for name in GROUPS if name in groups}


def _is_wanted(place: PurePosixPath) -> bool:
    parts = place.parts
    return len(parts) > 1 and parts[-2] in GROUPS and parts[-1] in {*_REQUIRED, *TRAINING}


def _read_file(group: Group, file: str, stream: IO[bytes]) -> None:
    place = group.places[file]
    group.repeated[file] = 0
    if file == CORPUS:
        _read_corpus(group, stream, place)
        return
    split = "train" if file in TRAINING else "test"
    if file == QUERIES.format(split):
        _read_queries(group, split, stream, place)
    else:
        _read_labels(group, split, stream, place)


def _read_corpus(group: Group, stream: IO[bytes], place: Path) -> None:
    rows = table_rows(stream, place, ("docid", "document_content"))
    where, header = next(rows, ("line 1", []))
    if header != ["docid", "document_content"]:
        problem = f"the header is {header}, expected docid and document_content"
        raise DataError(place, problem, where)
    contents: dict[str, str] = {}
    for number, (where, (docid, content)) in enumerate(rows, start=1):
        if number % _REPORT_EVERY == 0:
            report(f"read {place.parent.name}/{place.name}", number, 0)
        if docid in contents:
            if contents[docid] != content:
                problem = f"docid {docid} has another content in an earlier row"
                raise DataError(place, problem, where)
            group.repeated[CORPUS] += 1
            continue
        contents[docid] = content
        api = whole(parsed(content, place, where))
        if not isinstance(api, dict):
            problem = f"the content is no JSON object but {type(api).__name__}"
            raise DataError(place, problem, where)
        id_ = need_id(docid, place, where)
        group.tools[id_] = api_tool(id_, api, document(api), place, where)


def _read_queries(group: Group, split: str, stream: IO[bytes], place: Path) -> None:
    texts = group.queries[split]
    for where, (query_id, text) in table_rows(stream, place, ("query id", "text")):
        if texts.setdefault(need_id(query_id, place, where), text) != text:
            raise DataError(place, f"query {query_id} has another text in an earlier row", where)
        group.repeated[place.name] += 1
    group.repeated[place.name] -= len(texts)


def _read_labels(group: Group, split: str, stream: IO[bytes], place: Path) -> None:
    labels = group.labels[split]
    columns = ("query id", "0", "docid", "label")
    for where, (query_id, _, docid, label) in table_rows(stream, place, columns):
        if not label.isdecimal():
            raise DataError(place, f"the label '{label}' is no whole number", where)
        known = labels.setdefault((query_id, docid), (where, int(label)))
        if known[1] != int(label):
            problem = f"document {docid} has another label for query {query_id} above"
            raise DataError(place, problem, where)
        group.repeated[place.name] += known[0] != where
