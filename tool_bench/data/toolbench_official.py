"""Tasks ``ToolBenchG1``, ``ToolBenchG2``, ``ToolBenchG3``: ToolBench's own retrieval benchmark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from tool_bench.data.lines import whole
from tool_bench.data.task_file import plain_task
from tool_bench.data.toolbench_archive import TRAINING, Group, read_groups
from tool_bench.dataset import Examples, ToolDataset, pool_golds
from tool_bench.errors import DataError
from tool_bench.query import Query, fold, letters
from tool_bench.task import Task

_UPSTREAM: Mapping[str, tuple[int, str]] = {
    "G1": (10_439, "for one tool each"),
    "G2": (13_142, "for several tools of one category each"),
    "G3": (1_605, "for several tools of one collection each"),
}
"""Group -> (APIs in upstream's corpus, by Tool2Vec's code; what its requests are)."""
_BIBTEX = """@inproceedings{qin2024toolllm,
  author = {Qin, Yujia and Liang, Shihao and Ye, Yining and Zhu, Kunlun and Yan, Lan and Lu, Yaxi
            and Lin, Yankai and Cong, Xin and Tang, Xiangru and Qian, Bill and Zhao, Sihan and
            Hong, Lauren and Tian, Runchu and Xie, Ruobing and Zhou, Jie and Gerstein, Mark and
            Li, Dahai and Liu, Zhiyuan and Sun, Maosong},
  title = {ToolLLM: Facilitating Large Language Models to Master 16000+ Real-world APIs},
  booktitle = {International Conference on Learning Representations},
  year = {2024},
}"""


def read_tasks(path: Path) -> tuple[list[Task], list[str]]:
    """Return one task for each group that ``path`` holds, and what a user should know about them.

    Args:
        path: ToolBench's archive (zip or tar) or a folder in which it was unpacked.

    Raises:
        DataError: as :func:`~tool_bench.data.toolbench_archive.read_groups`, or a label names
            what is not there.
    """
    groups = read_groups(path)
    evaluated = {letters(t) for group in groups.values() for t in group.queries["test"].values()}
    tasks = [_task(name, group, evaluated) for name, group in groups.items()]
    notes = [
        f"{task.name} has {task.tools:,} tools; upstream's corpus has {expected:,}, so scores "
        "are not comparable with published ones"
        for task in tasks
        for expected, _ in [_UPSTREAM[task.name[-2:]]]
        if task.tools != expected
    ]
    notes += [f"{task.name}: {rule}" for task in tasks for rule in task.rules]
    absent = [f"ToolBench{name}" for name in _UPSTREAM if name not in groups]
    if absent:
        notes.append(f"not in it, so not imported: {', '.join(absent)}")
    return tasks, notes


def _task(name: str, group: Group, evaluated: set[str]) -> Task:
    golds = group.golds("test")
    asked = group.queries["test"]
    texts = {query_id: text for query_id, text in asked.items() if golds.get(query_id)}
    if not texts:
        problem = f"no request of {name} has a label above 0 on a document of its corpus"
        raise DataError(next(iter(group.places.values())).parent, problem)
    pooled = pool_golds((text, golds[query_id]) for query_id, text in texts.items())
    first: dict[str, str] = {}
    for query_id, text in texts.items():
        first.setdefault(fold(text), query_id)
    examples, about_examples = _examples(group, evaluated)
    dataset = ToolDataset(
        name=f"ToolBench{name}",
        tools=tuple(group.tools.values()),
        queries=tuple(Query(id=q, text=whole(asked[q])) for q in first.values()),
        relevance={query_id: pooled[text] for text, query_id in first.items()},
        examples=examples,
    )
    counted = (
        *((n, f"repeated rows of {file} were folded.") for file, n in group.repeated.items()),
        (len(texts) - len(first), "requests repeat another's text; golds are pooled."),
        (len(asked) - len(texts), "requests have no gold and were left out."),
    )
    rules = (*(f"{n:,} {what}" for n, what in counted if n), about_examples)
    return plain_task(
        dataset.name,
        dataset,
        {
            "description": (
                f"ToolBench's own {name}: {len(dataset.queries):,} requests "
                f"{_UPSTREAM[name][1]}, over {len(dataset.tools):,} RapidAPI endpoints. Imported "
                "from its official archive."
            ),
            "reference": "https://arxiv.org/abs/2307.16789",
            "dataset": {"path": "OpenBMB/ToolBench", "revision": "archive"},
            "date": ("2023-05-01", "2023-07-31"),
            "domains": ("Web", "Programming", "Written"),
            "license": "apache-2.0",
            "annotations_creators": "LM-generated",
            "sample_creation": "LM-generated and verified",
            "bibtex_citation": _BIBTEX,
            "rules": rules,
        },
    )


def _examples(group: Group, evaluated: set[str]) -> tuple[Examples, str]:
    """Return docid -> training requests that are not evaluated, and a sentence about them."""
    if not all(file in group.places for file in TRAINING):
        return {}, f"No usage examples: {' and '.join(TRAINING)} are not both there."
    golds = group.golds("train")
    asked = group.queries["train"]
    texts: dict[str, dict[str, None]] = defaultdict(dict)
    left_out = 0
    for query_id, docids in golds.items():
        if letters(asked[query_id]) in evaluated:
            left_out += 1
            continue
        for docid in docids:
            texts[docid][whole(asked[query_id])] = None
    about = (
        f"Usage examples are {len(golds) - left_out:,} training requests; {left_out:,} more are "
        "evaluated too and were left out."
    )
    return {docid: tuple(own) for docid, own in texts.items()}, about
