"""MetaTool: everyday requests, each answered by one (or two) of 199 ChatGPT plugins."""

from __future__ import annotations

import hashlib
from importlib.resources import files as package_files
from pathlib import Path

from tool_bench.data.read import need, read_csv, read_json
from tool_bench.dataset import ToolDataset, pool_golds
from tool_bench.errors import DataError
from tool_bench.query import Query, fold, letters
from tool_bench.task import Files, Source, Task
from tool_bench.tool import Tool

REPOSITORY = "HowieHwong/MetaTool"
REVISION = "35e81bb7576826e980c80fed8f8c0a2b4a1e6fbb"
TOOLS = "metatool/dataset/plugin_des.json"
SINGLE = "metatool/dataset/data/all_clean_data.csv"
MULTI = "metatool/dataset/data/multi_tool_query_golden.json"
HEADER = ("Query", "Tool")
EVALUATION_QUERIES = 2_000
DRAW_SEED = "tool-bench/MetaTool/1"
ROWS_FILE = "evaluation_rows.txt"


def _source(path: str, sha256: str, size: int) -> Source:
    upstream = path.removeprefix("metatool/")
    return Source(
        path=path,
        url=f"https://raw.githubusercontent.com/{REPOSITORY}/{REVISION}/{upstream}",
        revision=REVISION,
        sha256=sha256,
        size=size,
        license="mit",
    )


TOOLS_SOURCE = _source(
    TOOLS, "c446ade5acfb8e16c477124250665021e63b11bf6cb232db04fc9ba6bed0389a", 22_484
)
SINGLE_SOURCE = _source(
    SINGLE, "cf2eb0474396677530931def51012da4e88f9f34f655332f04177b2054101baf", 2_770_203
)
MULTI_SOURCE = _source(
    MULTI, "ef37d10a8cb5b41435d6ea3ae29819afdb8d6db0852268830e5ee77259507f51", 112_358
)


def draw(texts: dict[str, int]) -> list[int]:
    """Return the evaluation rows: a fixed random 2,000 of the distinct queries.

    Args:
        texts: each distinct query text -> the first row that holds it.

    Returns:
        Row numbers, ascending. A text is drawn when its sha256 after ``DRAW_SEED`` and a colon is
        among the 2,000 smallest: a seeded draw that depends on no random number generator and on
        no order of the rows.
    """

    def lot(text: str) -> str:
        return hashlib.sha256(f"{DRAW_SEED}:{text}".encode()).hexdigest()

    return sorted(texts[text] for text in sorted(texts, key=lot)[:EVALUATION_QUERIES])


def first_rows(rows: list[tuple[str, str]]) -> dict[str, int]:
    """Return each distinct query text (exactly as written) -> the first row that holds it."""
    first: dict[str, int] = {}
    for number, (text, _) in enumerate(rows):
        first.setdefault(text, number)
    return first


def read_rows(path: Path, tool_ids: set[str]) -> list[tuple[str, str]]:
    """Return (query text, tool id) of every row.

    Raises:
        DataError: a row is empty or names a tool that is not in the catalogue.
    """
    rows = []
    for number, (text, tool) in read_csv(path, HEADER):
        if not text.strip():
            raise DataError(path, "the query is empty", f"row {number}")
        if tool not in tool_ids:
            raise DataError(path, f"unknown tool '{tool}'", f"row {number}")
        rows.append((text, tool))
    return rows


def evaluation_rows() -> list[int]:
    """Return the committed list of evaluation rows."""
    text = package_files(__package__ or "").joinpath(ROWS_FILE).read_text(encoding="ascii")
    return [int(line) for line in text.split()]


def read_tools(path: Path) -> tuple[Tool, ...]:
    """Return the 199 plugins; their names are their ids."""
    described = read_json(path)
    if not isinstance(described, dict):
        raise DataError(path, f"expected an object, found {type(described).__name__}")
    return tuple(
        Tool(id=name, name=name, description=need(described, name, str, path, f"tool '{name}'"))
        for name in described
    )


def build_single(files: Files) -> ToolDataset:
    """Build MetaTool; every query outside the evaluation rows is a usage example."""
    tools = read_tools(files[TOOLS])
    rows = read_rows(files[SINGLE], {tool.id for tool in tools})
    golds = pool_golds((text, [tool]) for text, tool in rows)
    queries = []
    for number in evaluation_rows():
        if number >= len(rows):
            raise DataError(files[SINGLE], f"row {number} is missing; there are {len(rows)}")
        queries.append(Query(id=f"row{number}", text=rows[number][0]))
    return ToolDataset(
        name="MetaTool",
        tools=tools,
        queries=tuple(queries),
        relevance={query.id: golds[fold(query.text)] for query in queries},
        examples=_training_split(rows, {letters(query.text) for query in queries}),
    )


def _training_split(rows: list[tuple[str, str]], evaluated: set[str]) -> dict[str, tuple[str, ...]]:
    """Return tool -> its training queries, each once, none of them an evaluation query."""
    by_tool: dict[str, dict[str, str]] = {}
    for text, tool in rows:
        if letters(text) not in evaluated:
            by_tool.setdefault(tool, {}).setdefault(letters(text), text)
    return {tool: tuple(texts.values()) for tool, texts in by_tool.items()}


def build_multi(files: Files) -> ToolDataset:
    """Build MetaToolMulti: every query has two golds and nothing is kept for training."""
    tools = read_tools(files[TOOLS])
    path = files[MULTI]
    rows = read_json(path)
    if not isinstance(rows, list):
        raise DataError(path, f"expected a list, found {type(rows).__name__}")
    queries, relevance = [], {}
    for number, row in enumerate(rows):
        where = f"row {number}"
        query = Query(id=f"multi{number}", text=need(row, "query", str, path, where))
        queries.append(query)
        relevance[query.id] = dict.fromkeys(need(row, "tool", list, path, where), 1)
    return ToolDataset(
        name="MetaToolMulti", tools=tools, queries=tuple(queries), relevance=relevance
    )


REFERENCE = "https://arxiv.org/abs/2310.03128"
CITATION = """@inproceedings{huang2024metatool,
  author = {Huang, Yue and Shi, Jiawen and Li, Yuan and Fan, Chenrui and Wu, Siyuan and
            Zhang, Qihui and Liu, Yixin and Zhou, Pan and Wan, Yao and Gong, Neil Zhenqiang
            and Sun, Lichao},
  title = {MetaTool Benchmark for Large Language Models: Deciding Whether to Use Tools and
           Which to Use},
  booktitle = {The Twelfth International Conference on Learning Representations},
  year = {2024},
}"""

TASKS = (
    Task(
        name="MetaTool",
        description=(
            "Everyday requests, each to be answered by one of 199 ChatGPT plugins. 2,000 of "
            "upstream's 20,550 distinct queries are evaluated; the others are its training split."
        ),
        reference=REFERENCE,
        dataset={"path": REPOSITORY, "revision": REVISION},
        date=("2023-03-01", "2023-10-04"),
        domains=("Web", "Constructed", "Written"),
        license="mit",
        annotations_creators="LM-generated and reviewed",
        sample_creation="LM-generated and verified",
        bibtex_citation=CITATION,
        build=build_single,
        sources=(TOOLS_SOURCE, SINGLE_SOURCE),
        tools=199,
        queries=EVALUATION_QUERIES,
        skewed=True,
        rules=(
            (
                "The evaluation queries are the 2,000 distinct texts with the smallest sha256 of "
                f"'{DRAW_SEED}:' and the text; their first rows are listed in {ROWS_FILE}."
            ),
            (
                "A query that upstream labels with several tools (12 texts, compared without case "
                "and spacing) has all of them as golds; the draw took none of these."
            ),
            (
                "No text of the evaluation, compared by letters and digits, is in the training "
                "split."
            ),
            (
                "Upstream's classes are skewed (FinanceTool has 5 % of the rows), so the mean over "
                "tools stands beside the mean over queries."
            ),
        ),
    ),
    Task(
        name="MetaToolMulti",
        description=(
            "497 requests that each need two of 15 of MetaTool's plugins, searched among all 199."
        ),
        reference=REFERENCE,
        dataset={"path": REPOSITORY, "revision": REVISION},
        date=("2023-03-01", "2023-10-04"),
        domains=("Web", "Constructed", "Written"),
        license="mit",
        annotations_creators="LM-generated and reviewed",
        sample_creation="LM-generated and verified",
        bibtex_citation=CITATION,
        build=build_multi,
        sources=(TOOLS_SOURCE, MULTI_SOURCE),
        tools=199,
        queries=497,
        rules=("Both golds count; Completeness@10 asks for both in the top ten.",),
    ),
)
