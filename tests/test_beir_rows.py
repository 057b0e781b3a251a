from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from beir_files import CORPUS, QRELS, QUERIES, beir_folder

from tool_bench.data.beir_task import read_task
from tool_bench.data.lines import LONGEST
from tool_bench.errors import DataError


def needs(field: str, value: object) -> dict[str, Any]:
    """The first document, with a parameter that has such a field."""
    return {**CORPUS[0], "metadata": {"parameters": [{"name": "p", field: value}]}}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"corpus": [*CORPUS, '{"_id": "x",']}, r"corpus.jsonl, line 4: not valid JSON"),
        ({"corpus": [*CORPUS, "[]"]}, r"corpus.jsonl, line 4: expected an object, found list"),
        ({"corpus": [*CORPUS, ""]}, r"corpus.jsonl, line 4: the line is empty"),
        ({"corpus": [b'{"_id": "\xff"}']}, r"corpus.jsonl, line 1: not valid UTF-8 at .*iconv"),
        ({"corpus": []}, r"corpus.jsonl: the file is empty"),
        ({"corpus": ['{"_id": "x",\r"text": ""}']}, r"line 1: a carriage return stands inside"),
        ({"corpus": ["[" * 100_000]}, r"corpus.jsonl, line 1: not valid JSON: it is nested too"),
        ({"corpus": [{"_id": "x", "text": "y" * LONGEST}]}, r"line 1: the line is longer than 16"),
        (
            {"corpus": [needs("required", "false"), *CORPUS[1:]]},
            r"corpus.jsonl, line 1: 'required' is str, expected true or false",
        ),
        ({"corpus": [{"text": "x"}]}, r"line 1: field '_id' is missing"),
        ({"corpus": [{"_id": "x"}]}, r"line 1: field 'text' is missing"),
        ({"corpus": [{"_id": 7, "text": "x"}]}, r"line 1: the id 7 is int, expected a string"),
        ({"corpus": [{"_id": "a b", "text": ""}]}, r"the id 'a b' is empty or holds .* by '_'"),
        ({"corpus": ['{"_id": "\\ud83d", "text": ""}']}, r"line 1: the id .* half a character"),
        ({"corpus": [{"_id": "x", "title": 1, "text": ""}]}, r"line 1: 'title' is int"),
        ({"corpus": [*CORPUS, CORPUS[1]]}, r"corpus.jsonl, line 4: the id 'sun' occurs twice"),
        (
            {"corpus": [{**CORPUS[0], "metadata": {"parameters": {}}}, *CORPUS[1:]]},
            r"corpus.jsonl, line 1: 'parameters' is dict, expected a list of objects",
        ),
        (
            {"corpus": [{**CORPUS[0], "metadata": {"examples": "x"}}, *CORPUS[1:]]},
            r"corpus.jsonl, line 1: 'examples' is str, expected a list of strings",
        ),
        ({"queries": [*QUERIES, QUERIES[0]]}, r"queries.jsonl, line 4: the id 'q1' occurs twice"),
        (
            {"queries": [{**QUERIES[0], "metadata": {"kind": 3}}, *QUERIES[1:]]},
            r"queries.jsonl, line 1: 'kind' is int, expected a string; correct it, or remove it",
        ),
        ({"qrels": [*QRELS, "q1\tsnow\t1"]}, r"test.tsv, line 6: the id 'snow' is not in corpus"),
        ({"qrels": [*QRELS, "q9\tsun\t1"]}, r"test.tsv, line 6: the id 'q9' is not in queries"),
        ({"qrels": [*QRELS, "q1\tsun\t0.5"]}, r"line 6: the score '0.5' is no whole number"),
        ({"qrels": [*QRELS, f"q1\tsun\t{10**400}"]}, r"line 6: the score is beyond 1000"),
        ({"qrels": [*QRELS, "q1\tsun\t1"]}, r"line 6: 'sun' has another grade for query 'q1'"),
        ({"qrels": [*QRELS, "q1 sun 1"]}, r"line 6: 1 columns, expected 3 .* separated by tabs"),
        ({"qrels": [*QRELS, 'q1\t"sun\t1']}, r"line 6: not a table"),
        ({"qrels": QRELS[1:]}, r"line 1: the header must be query-id, corpus-id, score"),
        ({"qrels": QRELS[:1]}, r"test.tsv: no query has a grade above 0"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_task(beir_folder(tmp_path / "x", **changed), None, "test")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = beir_folder(tmp_path / "x")
    (folder / "queries.jsonl").unlink()
    with pytest.raises(DataError, match=r"x/queries.jsonl: the file does not exist"):
        read_task(folder, None, "test")


def test_examples_that_are_evaluated_are_left_out_and_counted(tmp_path: Path) -> None:
    asked = QUERIES[0]["text"]
    corpus = [{**CORPUS[0], "metadata": {"examples": [f"{asked.upper()}!", "something else"]}}]
    folder = beir_folder(tmp_path / "x", corpus=[*corpus, *CORPUS[1:]])
    task, notes = read_task(folder, None, "test")
    assert list(task.build({}).examples.values()) == [("something else",)]
    assert "1 usage examples are evaluation queries and were left out." in notes
