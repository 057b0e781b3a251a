from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from toolbench_files import (
    Files,
    api,
    archive_files,
    as_folder,
    as_tar,
    as_zip,
    group,
    table,
)

from tool_bench.data.load import load
from tool_bench.data.toolbench_official import read_tasks
from tool_bench.errors import DataError

Packed = Callable[[Files, Path], Path]


@pytest.fixture(params=[as_folder, as_zip, as_tar], ids=["folder", "zip", "tar.gz"])
def pack(request: pytest.FixtureRequest) -> Packed:
    packed: Packed = request.param
    return packed


def test_each_group_that_is_there_becomes_a_task(pack: Packed, tmp_path: Path) -> None:
    files = archive_files(G3=group(), G1=group(offered=4))
    tasks, notes = read_tasks(pack(files, tmp_path / "data"))
    assert [(task.name, task.tools, task.queries) for task in tasks] == [
        ("ToolBenchG1", 4, 2),
        ("ToolBenchG3", 3, 2),
    ]
    assert notes[0].startswith("ToolBenchG1 has 4 tools; upstream's corpus has 10,439, so scores")
    assert notes[-1] == "not in it, so not imported: ToolBenchG2"


def test_repeated_rows_and_requests_are_folded(pack: Packed, tmp_path: Path) -> None:
    (task,), notes = read_tasks(pack(archive_files(G1=group()), tmp_path / "data"))
    data = load(task)
    assert [tool.id for tool in data.tools] == ["1", "2", "3"]
    assert {q.id: q.text for q in data.queries} == {"1": 'Will it\nrain in "Köln"?', "2": "Sun?"}
    assert data.relevance == {"1": {"1": 1, "2": 1}, "2": {"1": 1, "3": 1}}
    assert task.rules == (
        "2 repeated rows of corpus.tsv were folded.",
        "1 repeated rows of test.query.txt were folded.",
        "1 requests repeat another's text; golds are pooled.",
        ("Usage examples are 1 training requests; 2 more are evaluated too and were left out."),
    )
    assert [f"ToolBenchG1: {rule}" for rule in task.rules] == notes[1:-1]


def test_training_requests_are_examples_but_for_those_evaluated(tmp_path: Path) -> None:
    (task,), _ = read_tasks(as_folder(archive_files(G1=group()), tmp_path))
    assert load(task).examples == {"2": ("Snow",)}


def test_requests_evaluated_in_another_group_are_no_examples_either(tmp_path: Path) -> None:
    files = group()
    files["train.query.txt"] = table([(3, "Hail?"), (2, "Snow?"), (4, "Fog?")])
    other = group()
    other["test.query.txt"] = table([(1, "hail"), (2, "Dew?"), (5, "Storm?")])
    tasks, _ = read_tasks(as_folder(archive_files(G1=files, G2=other), tmp_path))
    assert load(tasks[0]).examples == {"1": ("Snow?",), "3": ("Fog?",)}


def test_without_training_files_there_are_no_examples(tmp_path: Path) -> None:
    files = group()
    del files["train.query.txt"]
    (task,), _ = read_tasks(as_folder(archive_files(G1=files), tmp_path))
    assert load(task).examples == {}
    assert task.rules[-1] == (
        "No usage examples: train.query.txt and qrels.train.tsv are not both there."
    )


def test_an_api_becomes_a_tool_with_upstreams_own_text(tmp_path: Path) -> None:
    (task,), _ = read_tasks(as_folder(archive_files(G1=group()), tmp_path))
    tool = load(task).tools[0]
    assert (tool.name, tool.provider, tool.category) == ("Sky Get 1", "Sky", "Weather")
    assert [(p.name, p.type, p.description, p.required) for p in tool.parameters] == [
        ("city", "STRING", "Wo", True)
    ]
    assert tool.raw == (
        'Weather, Sky, Get 1, says "1",\tpräzise\nand in rows, required_params: '
        '[{"name": "city", "type": "STRING", "description": "Wo", "default": "K\\u00f6ln"}], '
        'optional_params: [], return_schema: {"rain": "int"}'
    )


def test_gaps_in_an_api_are_read_as_upstream_reads_them(tmp_path: Path) -> None:
    gappy = api(1, api_description=None, tool_name=None, category_name=None)
    del gappy["template_response"]
    files = group()
    rows = [(1, json.dumps(gappy)), *((n, json.dumps(api(n))) for n in (2, 3))]
    files["corpus.tsv"] = table(rows, ["docid", "document_content"])
    (task,), _ = read_tasks(as_folder(archive_files(G1=files), tmp_path))
    tool = load(task).tools[0]
    assert (tool.name, tool.provider, tool.description) == ("Get 1", None, "")
    assert (tool.raw or "").startswith(", , Get 1, , required_params: [{")
    assert (tool.raw or "").endswith('return_schema: ""')


def test_half_a_character_is_replaced(tmp_path: Path) -> None:
    files = group()
    cut = json.dumps(api(1)).replace("Get 1", "Get \\ud83d")
    rows = [(1, cut), *((n, json.dumps(api(n))) for n in (2, 3))]
    files["corpus.tsv"] = table(rows, ["docid", "document_content"])
    (task,), _ = read_tasks(as_folder(archive_files(G1=files), tmp_path))
    assert load(task).tools[0].name == "Sky Get \ufffd"


@pytest.mark.parametrize("given", ["", "data", "data/retrieval", "data/retrieval/G1"])
def test_any_folder_above_the_files_will_do(given: str, tmp_path: Path) -> None:
    as_folder(archive_files(G1=group()), tmp_path)
    (task,), _ = read_tasks(tmp_path / given)
    assert task.name == "ToolBenchG1"


HEADER = b"docid\tdocument_content\n"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("corpus.tsv", b"1\t{}\n", r"line 1: the header is \['1', '{}'\], expected docid and"),
        ("corpus.tsv", HEADER + b"1\t{}\tx\n", r"line 2: 3 columns, expected 2 \(docid, docu"),
        ("corpus.tsv", HEADER + b"1\t{oops\n", r"corpus.tsv, line 2: not valid JSON: Expecting"),
        ("corpus.tsv", HEADER + b"1\t[]\n", r"line 2: the content is no JSON object but list"),
        ("corpus.tsv", HEADER + b"1\t{}\n", r"line 2: field 'required_parameters' is missing"),
        ("corpus.tsv", HEADER + b'1\t"{}\n', r"corpus.tsv, line 2: not a table: unexpected end"),
        ("corpus.tsv", HEADER + b"\xe4\t{}\n", r"line 2: not valid UTF-8 at byte 0 .* iconv -f"),
        ("test.query.txt", b"1\tRain?\n1\tSun?\n", r"line 2: query 1 has another text in an ear"),
        ("test.query.txt", b"1\tRain?\n2\n", r"line 2: 1 columns, expected 2 \(query id, text\)"),
        ("test.query.txt", "1\tRain?\n".encode("utf-16"), r"query.txt, line 1: not valid UTF-8"),
        ("qrels.test.tsv", b"1\t0\t1\t1\n1\t0\t9\t1\n", r"line 2: document 9 is not in corpus"),
        ("qrels.test.tsv", b"7\t0\t1\t1\n", r"qrels.test.tsv, line 1: query 7 is not in test.q"),
        ("qrels.test.tsv", b"1\t0\t1\tyes\n", r"line 1: the label 'yes' is no whole number"),
        ("qrels.test.tsv", b"1 0 1 1\n", r"line 1: 1 columns, expected 4 .* separated by tabs"),
        ("qrels.test.tsv", b"1\t0\t1\t1\n1\t0\t1\t0\n", r"line 2: document 1 has another label"),
        ("qrels.test.tsv", b"1\t0\t1\t1\n7\t0\t99\t0\n", r"line 2: query 7 is not in test.qu"),
        ("qrels.train.tsv", b"7\t0\t1\t1\n", r"qrels.train.tsv, line 1: query 7 is not in tra"),
    ],
)
def test_a_bad_row_is_named(
    pack: Packed, tmp_path: Path, file: str, content: bytes, message: str
) -> None:
    path = pack(archive_files(G1={**group(), file: content}), tmp_path / "data.x")
    with pytest.raises(DataError, match=message) as error:
        read_tasks(path)
    assert f"data.x/data/retrieval/G1/{file}, line " in str(error.value)


def test_a_group_without_any_gold_is_refused(tmp_path: Path) -> None:
    files = {**group(), "qrels.test.tsv": b"1\t0\t1\t0\n"}
    with pytest.raises(DataError, match="no request of G1 has a label above 0"):
        read_tasks(as_folder(archive_files(G1=files), tmp_path))


def test_two_contents_of_one_document_are_refused(tmp_path: Path) -> None:
    rows = [(1, json.dumps(api(1))), (1, json.dumps(api(2)))]
    files = {**group(), "corpus.tsv": table(rows, ["docid", "document_content"])}
    with pytest.raises(DataError, match=r"corpus.tsv, line 3: docid 1 has another content"):
        read_tasks(as_folder(archive_files(G1=files), tmp_path))


def test_a_missing_file_is_named(pack: Packed, tmp_path: Path) -> None:
    files = archive_files(G1=group(), G2=group())
    del files["data/retrieval/G2/qrels.test.tsv"]
    with pytest.raises(DataError, match=r"retrieval/G2: qrels.test.tsv is missing: G2 needs"):
        read_tasks(pack(files, tmp_path / "data"))


def test_the_same_group_twice_is_refused(tmp_path: Path) -> None:
    files = archive_files(G1=group())
    twice = {**files, **{f"old/{place}": content for place, content in files.items()}}
    with pytest.raises(DataError, match=r"old/.*the same file is at .*; give the folder of one"):
        read_tasks(as_folder(twice, tmp_path))


def test_what_holds_no_group_is_refused(pack: Packed, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no retrieval/G1, retrieval/G2 or retrieval/G3"):
        read_tasks(pack(archive_files(), tmp_path / "data"))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "data.zip"
    page.write_text("<html>Google Drive: quota exceeded</html>")
    with pytest.raises(DataError, match=r"data.zip: is neither a folder nor .* the web page"):
        read_tasks(page)
    with pytest.raises(DataError, match=r"nowhere: there is no such file or folder"):
        read_tasks(tmp_path / "nowhere")


def test_a_download_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = as_tar(archive_files(G1=group(offered=300)), tmp_path / "data.tar.gz")
    path.write_bytes(path.read_bytes()[:2_000])
    with pytest.raises(DataError, match=r"data.tar.gz: the archive cannot be read: .*fetch it ag"):
        read_tasks(path)
    path = as_zip(archive_files(G1=group()), tmp_path / "data.zip")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"data.zip: .* a download may have been cut off"):
        read_tasks(path)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for place, content in archive_files(G1=group()).items():
            archive.writestr(place, content)
    path.write_bytes(path.read_bytes().replace(b"Sky", b"Ski", 1))
    with pytest.raises(DataError, match=r"data.zip: the archive cannot be read: Bad CRC-32"):
        read_tasks(path)
