"""What the board ships, and how it is served."""

from __future__ import annotations

import re
import threading
import urllib.request
from pathlib import Path

import pytest
import yaml

from tool_bench import cli, registry, store
from tool_bench.errors import ToolBenchError, UsageError
from tool_bench.leaderboard.folders import site_folder
from tool_bench.leaderboard.home import BOARD
from tool_bench.leaderboard.output import STAMP, writing
from tool_bench.leaderboard.pages import page_names, web
from tool_bench.leaderboard.serve import server

ROOT = Path(__file__).parent.parent
SORTABLE = "a887cf42ad5b69673364c529afe8500b31dfbe3e78c2e623bee6430fc69b990f"  # 4.1.7


def test_the_vendored_library_is_the_published_one() -> None:
    assets = site_folder() / "assets"
    assert store.content_hash((assets / "sortable.min.js").read_bytes()) == SORTABLE
    assert "unlicense" in (assets / "sortable.LICENSE.txt").read_text("utf-8").lower()


def test_page_names_are_safe_and_differ() -> None:
    names = ["a/b", "a__b", "A__b", "..", "<script>", "x" * 300, "plain", "con?"]
    pages = page_names(names)
    assert len({page.lower() for page in pages.values()}) == len(names)
    assert pages["plain"] == "plain"
    for page in pages.values():
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,90}", page)
    assert pages == page_names(reversed(names))


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://example.org/x", True),
        ("HTTP://example.org", True),
        ("javascript:alert(1)", False),
        (" https://example.org", False),
        ("data:text/html,x", False),
    ],
)
def test_links_lead_to_the_web_alone(address: str, kept: bool) -> None:
    assert web(address) == (address if kept else "")


def test_a_folder_is_served_to_this_machine(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("the board")
    with server(tmp_path, 0) as running:
        host, port = running.server_address[:2]
        assert host == "127.0.0.1"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            assert answer.read() == b"the board"
            assert answer.headers["Cache-Control"] == "no-cache"
        with pytest.raises(ToolBenchError, match="choose another by --port"):
            server(tmp_path, port)
        running.shutdown()


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match=r"no leaderboard \(thesis.tex\)"), writing(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_a_killed_build_left_goes_with_the_next(tmp_path: Path) -> None:
    with writing(tmp_path / "board") as output:
        output.write("methods/gone.html", "")
        (output.folder / "methods" / "gone.html.new").write_text("half")  # and then it was killed
    with writing(tmp_path / "board") as output:
        output.write("index.html", "")
        output.finish("done")
    assert not (tmp_path / "board" / "methods").exists()
    assert (tmp_path / "board" / STAMP).read_text() == "done"


def test_nothing_is_written_outside_the_folder(tmp_path: Path) -> None:
    with writing(tmp_path / "board") as output:
        for name in ("../away.html", "/away.html", "a/../../away.html"):
            with pytest.raises(ToolBenchError, match="does not lie in"):
                output.write(name, "")
    assert not (tmp_path / "away.html").exists()


def test_a_copy_keeps_the_time_and_follows_its_source(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("one")
    source.chmod(0o444)
    for text in ("one", "more"):
        source.chmod(0o644)
        source.write_text(text)
        source.chmod(0o444)
        with writing(tmp_path / "board") as output:
            output.copy("copy", source)
            output.finish("done")
        assert (tmp_path / "board" / "copy").read_text() == text


def test_an_address_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["site", "build", "--repository", "example.org", "--out", str(tmp_path)])
    assert ended.value.code
    assert "give an address with https://" in capsys.readouterr().err


def test_the_workflow_builds_and_publishes_with_few_rights() -> None:
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "board.yml").read_text("utf-8"))
    assert flow["permissions"] == {"contents": "read"}
    steps = [step.get("run", "") for step in flow["jobs"]["build"]["steps"]]
    assert any("tool-bench site build --out board" in step for step in steps)
    assert flow["jobs"]["publish"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert flow["jobs"]["publish"]["needs"] == "build"


def test_the_tasks_of_the_ranking_are_declared() -> None:
    assert set(BOARD) <= set(registry.declared_tasks())
