from __future__ import annotations

import json
import random
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import fakes
import pytest
from beir_files import CORPUS, QUERIES, beir_folder

from tool_bench import registry
from tool_bench.data.beir_task import read_task
from tool_bench.data.imported import write_folder
from tool_bench.data.load import load
from tool_bench.data.task_file import given
from tool_bench.dataset import ToolDataset
from tool_bench.errors import DataError, UsageError
from tool_bench.measures import mean, score
from tool_bench.query import Query
from tool_bench.runs import Run, settle
from tool_bench.task import Task
from tool_bench.tool import Parameter, Tool


def everything() -> Task:
    """A task that uses every field there is, with letters that formats stumble over."""
    plain = fakes.dataset()
    tools = (
        replace(
            plain.tools[0],
            name='says "créate"\tand\u2028more',
            description="line one\nline two\r\n",
            parameters=(Parameter("day", "string", "which 📅", required=True), Parameter("n")),
            category="People",
            raw='{"name": "upstream\'s own"}',
        ),
        replace(plain.tools[1], id='"quoted"/id', description=""),
        *plain.tools[2:],
    )
    queries = (replace(plain.queries[0], text="", instruction="Find it."), *plain.queries[1:])
    dataset = ToolDataset(
        name="Tiny",
        tools=tools,
        queries=queries,
        relevance={
            q.id: {t.id: 1 + (i == 3)} for i, (q, t) in enumerate(zip(queries, tools, strict=True))
        },
        examples={tools[1].id: ("do it", "  do it\tnow ")},
        groups={"odd": ("q3", "q1"), "even": ("q0",)},
        averages={"mean of two": {"odd": 0.25, "even": 0.75}},
        splits={"employee": "train", "invoice": "validation", "ticket": "test"},
        families={"either": (tools[0].id, tools[1].id)},
    )
    return replace(
        fakes.TASK,
        build=partial(given, dataset),
        headline="mean of two",
        skewed=True,
        rules=("A rule.",),
    )


def same(one: ToolDataset, other: ToolDataset) -> bool:
    return replace(one, name="") == replace(other, name="")


def test_an_exported_task_comes_back_as_it_was(tmp_path: Path) -> None:
    task = everything()
    write_folder(task, tmp_path / "out")
    back, notes = read_task(tmp_path / "out", "Copy", "test")
    data = load(back)
    assert notes == []
    assert same(data, load(task))
    assert data.scopes == ("global", "scoped")
    assert data.candidates("scoped", data.queries[0]) == (
        data.tools[0].id,
        '"quoted"/id',
        "employee_list",
        "employee_archive",
    )
    fields = ("license", "headline", "skewed", "rules", "eval_langs", "dataset", "providers")
    assert [getattr(back, f) for f in fields] == [getattr(task, f) for f in fields]


@pytest.mark.parametrize("task", ["MockConnectors", "MetaTool", "MetaToolMulti", "ToolBench"])
def test_real_tasks_come_back_as_they_were(task: str, dataset: ToolDataset, tmp_path: Path) -> None:
    write_folder(registry.tasks()[task], tmp_path / "out")
    back, _ = read_task(tmp_path / "out", "Copy", "test")
    assert same(load(back), dataset)


def test_beir_reads_an_export_by_itself(tmp_path: Path) -> None:
    corpus, queries, qrels, data = exported(tmp_path)
    assert corpus == {t.id: {"title": t.name, "text": t.description} for t in data.tools}
    assert queries == {q.id: q.text for q in data.queries}
    assert qrels == data.relevance


def exported(tmp_path: Path) -> tuple[Any, Any, Any, ToolDataset]:
    """Return what beir's loader makes of an export, and our data."""
    from beir.datasets.data_loader import GenericDataLoader

    task = everything()
    write_folder(task, tmp_path / "out")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # beir leaves files open
        corpus, queries, qrels = GenericDataLoader(str(tmp_path / "out")).load("test")
    return corpus, queries, qrels, load(task)


def graded(seed: int) -> tuple[ToolDataset, Run]:
    """A task with several graded golds a query, and a run of ours with ties and gaps."""
    random_ = random.Random(seed)  # noqa: S311  simulated data
    tools = tuple(Tool(id=f"t{n}", name=f"tool {n}") for n in range(40))
    queries = tuple(Query(id=f"q{n}", text=f"query {n}") for n in range(60))
    relevance = {
        q.id: {
            t.id: random_.randint(1, 3) for t in random_.sample(tools, random_.choice([1, 2, 12]))
        }
        for q in queries
    }
    rankings = [
        tuple(
            (t.id, float(random_.randint(0, 5) + 3 * (t.id in relevance[q.id])))
            for t in random_.sample(tools, 20)
        )
        for q in queries
    ]
    data = ToolDataset(name="Graded", tools=tools, queries=queries, relevance=relevance)
    run = settle(queries, rankings, [None] * len(queries), 10, {t.id for t in tools})
    return data, run


@pytest.mark.parametrize("seed", range(3))
def test_beir_scores_an_exported_task_as_we_do(seed: int, tmp_path: Path) -> None:
    from beir.retrieval.evaluation import EvaluateRetrieval

    data, run = graded(seed)
    task = replace(
        fakes.TASK,
        name="Graded",
        build=partial(given, data),
        tools=40,
        queries=60,
        providers=0,
        eval_langs={"global": ("eng-Latn",)},
    )
    write_folder(task, tmp_path / "out")
    lines = (tmp_path / "out" / "qrels" / "test.tsv").read_text().splitlines()[1:]
    qrels: dict[str, dict[str, int]] = {}
    for query_id, tool_id, grade in (line.split("\t") for line in lines):
        qrels.setdefault(query_id, {})[tool_id] = int(grade)
    results = {query_id: dict(ranking) for query_id, ranking in run.items()}  # every query is there
    judge = EvaluateRetrieval()
    ndcg, _, recall, _ = judge.evaluate(qrels, results, [5, 10], ignore_identical_ids=False)
    hits = judge.evaluate_custom(qrels, results, [1, 3, 5, 10], metric="top_k_accuracy")
    mrr = judge.evaluate_custom(qrels, results, [10], metric="mrr")
    ours = {measure: mean(values.values()) for measure, values in score(run, qrels).items()}
    theirs = {
        "nDCG@5": ndcg["NDCG@5"],
        "nDCG@10": ndcg["NDCG@10"],
        "Recall@10": recall["Recall@10"],
        "MRR@10": mrr["MRR@10"],
        **{f"Hit@{k}": hits[f"Accuracy@{k}"] for k in (1, 3, 5, 10)},
    }
    assert {name: ours[name] for name in theirs} == pytest.approx(theirs, abs=1e-5)
    assert len({round(value, 3) for value in theirs.values()}) > 4  # no trivial run


def test_an_export_does_not_write_over_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(UsageError, match="is there already; name a folder that is new"):
        write_folder(fakes.TASK, tmp_path / "out")
    assert [p.name for p in tmp_path.rglob("*")] == ["out", "mine"]


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rows.csv, row 7"):
        write_folder(fakes.BROKEN, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_folder_becomes_tools(tmp_path: Path) -> None:
    folder = beir_folder(tmp_path / "Weather")
    task, notes = read_task(folder, None, "test")
    data = load(task)
    assert task.name == "Weather"
    assert [(t.id, t.name, t.description) for t in data.tools] == [
        ("rain", "Get Rain", "how much rain falls"),
        ("sun", "sun", "hours of sun"),
        ("wind", "wind", ""),
    ]
    assert data.relevance == {"q1": {"rain": 2}, "q2": {"sun": 1}}
    assert notes == [
        "1 queries have no relevant tool and were left out.",
        "2 judgements of grade 0 or less were left out.",
    ]
    assert (task.license, data.scopes, list(data.slices)) == ("not specified", ("global",), ["all"])


def test_providers_in_metadata_make_scopes(tmp_path: Path) -> None:
    corpus = [{**row, "metadata": {"provider": p}} for row, p in zip(CORPUS, "aab", strict=True)]
    queries = [{**row, "metadata": {"provider": "a", "kind": "short"}} for row in QUERIES]
    task, _ = read_task(beir_folder(tmp_path / "x", corpus, queries), "Scoped", "test")
    data = load(task)
    assert data.scopes == ("global", "scoped")
    assert data.candidates("scoped", data.queries[0]) == ("rain", "sun")
    assert list(task.eval_langs) == ["global", "scoped", "short"]


def test_another_split_is_read(tmp_path: Path) -> None:
    folder = beir_folder(tmp_path / "x", split="dev")
    with pytest.raises(DataError, match=r"qrels/test.tsv: .* splits in this folder: dev \(--split"):
        read_task(folder, None, "test")
    assert read_task(folder, None, "dev")[0].queries == 2


def test_half_a_character_in_a_text_is_replaced(tmp_path: Path) -> None:
    corpus = ['{"_id": "rain", "title": "Rain \\ud83d", "text": "x"}', *CORPUS[1:]]
    task, _ = read_task(beir_folder(tmp_path / "x", corpus), None, "test")
    assert load(task).tools[0].name == "Rain \ufffd"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("format", 2, "its format is 2, this version of tool-bench reads 1"),
        ("license", None, "field 'license' is NoneType, expected str"),
        ("groups", {"odd": [3]}, "field 'odd': holds a int, which cannot be there"),
        ("groups", {"odd": ["q77"]}, "group 'odd' names unknown query 'q77'"),
        ("splits", {"employee": "tset"}, "'tset' is none of train, validation, test"),
        ("headline", "best", "headline 'best' is not in the built data"),
    ],
)
def test_a_bad_task_file_is_named(tmp_path: Path, field: str, value: object, message: str) -> None:
    write_folder(everything(), tmp_path / "out")
    path = tmp_path / "out" / "task.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(DataError, match=message):
        load(read_task(tmp_path / "out", "Copy", "test")[0])
