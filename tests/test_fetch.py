from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tool_bench.data.fetch import cached_path, check_cached, fetch, status
from tool_bench.errors import DataError, UnavailableError
from tool_bench.task import Source

CONTENT = bytes(range(256)) * 4_000
NOBODY = "http://127.0.0.1:9"  # the discard port: refused at once


class Upstream:
    """A file server that can cut answers off, serve other bytes, or ignore ranges."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.cut_after: list[int] = []
        self.ranges: list[str | None] = []
        self.paths: list[str] = []
        self.honour_ranges = True
        self.redirects = False
        self.found = True
        self.encodings: set[str | None] = set()


@pytest.fixture
def upstream() -> Iterator[tuple[Upstream, str]]:
    state = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.ranges.append(asked)
            state.paths.append(self.path)
            state.encodings.add(self.headers.get("Accept-Encoding"))
            if not state.found:
                self.send_error(404, "Not Found")
                return
            if state.redirects and not self.path.startswith("/storage/"):
                self.send_response(302)  # as the hub does for large files
                self.send_header("Location", f"/storage{self.path}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = 0
            if asked and state.honour_ranges:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                self.send_response(206)
                end = len(state.content) - 1
                self.send_header("Content-Range", f"bytes {start}-{end}/{len(state.content)}")
            else:
                self.send_response(200)
            body = state.content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if state.cut_after:
                body = body[: state.cut_after.pop(0)]
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def source(base: str = NOBODY) -> Source:
    return Source(
        path="x/data/file.bin",
        url=f"{base}/file.bin",
        revision="abc123",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size=len(CONTENT),
        license="mit",
    )


HUB = "https://huggingface.co/datasets/someone/files/resolve/abc123/file.bin"


def leftovers() -> list[str]:
    folder = cached_path(source()).parent
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def mirror_with(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mirror" / source().path
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    monkeypatch.setenv("TOOL_BENCH_MIRROR", str(tmp_path / "mirror"))


def test_a_file_is_fetched_once(upstream: tuple[Upstream, str]) -> None:
    state, base = upstream
    arrived: list[int] = []
    assert status(source(base)) == "upstream"
    path = fetch(source(base), arrived.append)
    assert path.read_bytes() == CONTENT
    assert sum(arrived) == len(CONTENT)
    assert fetch(source(base)) == path
    assert len(state.ranges) == 1
    assert status(source(base)) == "cached"


def test_a_broken_transfer_goes_on_where_it_was(upstream: tuple[Upstream, str]) -> None:
    state, base = upstream
    state.cut_after = [600_000, 300_000]
    assert fetch(source(base)).read_bytes() == CONTENT
    assert state.ranges[0] is None
    resumed = [int((r or "bytes=0-")[6:-1]) for r in state.ranges]
    assert resumed == sorted(resumed)
    assert resumed[-1] > 500_000
    assert state.encodings == {"identity"}  # ranges count the file's own bytes
    assert leftovers() == ["file.bin"]


def test_a_later_call_goes_on_too(upstream: tuple[Upstream, str]) -> None:
    state, base = upstream
    state.cut_after = [300_000, 0, 0]
    with pytest.raises(UnavailableError, match="of 1,024,000 bytes"):
        fetch(source(base))
    assert leftovers() == ["file.bin.part"]
    state.ranges.clear()
    assert fetch(source(base)).read_bytes() == CONTENT
    assert state.ranges[0] is not None
    assert leftovers() == ["file.bin"]


def test_a_server_that_ignores_ranges_starts_over(upstream: tuple[Upstream, str]) -> None:
    state, base = upstream
    state.cut_after, state.honour_ranges = [300_000], False
    assert fetch(source(base)).read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused_and_leaves_nothing(upstream: tuple[Upstream, str]) -> None:
    state, base = upstream
    state.content = CONTENT[:-1] + b"!"
    with pytest.raises(DataError, match=r"x/data/file.bin.*sha256 differs from the pinned"):
        fetch(source(base))
    assert leftovers() == []


@pytest.mark.parametrize("content", [CONTENT[:-7], CONTENT + b"more"])
def test_a_file_of_another_size_is_refused(upstream: tuple[Upstream, str], content: bytes) -> None:
    state, base = upstream
    state.content = content
    with pytest.raises(DataError, match=f"has {len(content):,} bytes, expected 1,024,000"):
        fetch(source(base))
    assert leftovers() == []


def test_a_part_that_is_longer_than_the_file_starts_over(upstream: tuple[Upstream, str]) -> None:
    _, base = upstream
    part = cached_path(source()).with_name("file.bin.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT + b"more")
    assert fetch(source(base)).read_bytes() == CONTENT


def test_a_damaged_cached_file_is_named_with_both_checksums(
    upstream: tuple[Upstream, str],
) -> None:
    path = fetch(source(upstream[1]))
    check_cached(source())
    path.write_bytes(b"?")
    with pytest.raises(DataError, match=rf"sha256 is 8a8de823.* expected {source().sha256}"):
        check_cached(source())


def test_a_missing_file_and_no_network_are_unavailable(upstream: tuple[Upstream, str]) -> None:
    state, base = upstream
    state.found = False
    with pytest.raises(UnavailableError, match=r"HTTP 404 .*tool-bench data pull"):
        fetch(source(base))
    with pytest.raises(UnavailableError, match=r"cannot be reached .*TOOL_BENCH_MIRROR"):
        fetch(source())
    assert leftovers() == []


def test_a_mirror_folder_is_tried_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, upstream: tuple[Upstream, str]
) -> None:
    state, base = upstream
    mirror_with(CONTENT, tmp_path, monkeypatch)
    assert status(source(base)) == "mirror"
    assert fetch(source(base)).read_bytes() == CONTENT
    assert state.ranges == []


def test_a_mirror_address_is_tried_first(
    monkeypatch: pytest.MonkeyPatch, upstream: tuple[Upstream, str]
) -> None:
    _, base = upstream
    monkeypatch.setenv("TOOL_BENCH_MIRROR", f"{base}/")
    assert fetch(source()).read_bytes() == CONTENT


def test_upstream_follows_a_mirror_without_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, upstream: tuple[Upstream, str]
) -> None:
    _, base = upstream
    monkeypatch.setenv("TOOL_BENCH_MIRROR", str(tmp_path))
    assert status(source(base)) == "missing from mirror"
    assert fetch(source(base)).read_bytes() == CONTENT


def test_a_corrupt_mirror_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror_with(CONTENT[:-1] + b"?", tmp_path, monkeypatch)
    with pytest.raises(DataError, match=r"mirror/x/data/file.bin: sha256 differs"):
        fetch(source())
    assert leftovers() == []


def test_a_damaged_cache_is_fetched_again(upstream: tuple[Upstream, str]) -> None:
    _, base = upstream
    path = fetch(source(base))
    path.write_bytes(CONTENT[:-1] + b"?")  # right size, wrong bytes
    assert fetch(source(base)).read_bytes() == CONTENT


def test_a_half_written_temporary_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror_with(CONTENT, tmp_path, monkeypatch)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "file.bin")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        fetch(source())
    assert leftovers() == []


def test_the_hub_is_asked_at_its_endpoint_and_its_redirects_are_followed(
    upstream: tuple[Upstream, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, base = upstream
    state.redirects, state.cut_after = True, [300_000]
    monkeypatch.setenv("HF_ENDPOINT", f"{base}/")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    path = fetch(replace(source(), url=HUB))
    assert path.read_bytes() == CONTENT
    assert state.paths[-1] == "/storage/datasets/someone/files/resolve/abc123/file.bin"
    resumed = state.ranges[-1]
    assert resumed is not None
    assert int(resumed[6:-1]) > 200_000


def test_an_offline_hub_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, upstream: tuple[Upstream, str]
) -> None:
    state, base = upstream
    monkeypatch.setenv("HF_ENDPOINT", base)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UnavailableError, match=r"HF_HUB_OFFLINE is set.*TOOL_BENCH_MIRROR"):
        fetch(replace(source(), url=HUB))
    assert state.ranges == []
    mirror_with(CONTENT, tmp_path, monkeypatch)
    assert fetch(replace(source(), url=HUB)).read_bytes() == CONTENT


def test_a_file_without_an_address_comes_from_a_mirror_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived = replace(source(), url=None)
    assert status(derived) == "needs a mirror"
    with pytest.raises(
        UnavailableError, match=r"x/data/file.bin: only a mirror offers it\. Set TOOL_BENCH_MIRROR"
    ):
        fetch(derived)
    monkeypatch.setenv("TOOL_BENCH_MIRROR", str(tmp_path))
    with pytest.raises(UnavailableError, match=r"file.bin: no such file; only a mirror"):
        fetch(derived)
    mirror_with(CONTENT, tmp_path, monkeypatch)
    assert status(derived) == "mirror"
    assert fetch(derived).read_bytes() == CONTENT
