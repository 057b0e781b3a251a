from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from signed_runs import ALLOWED, RECIPE, SCORES, FakeTrainer, save_snapshot, signed_request

from tool_bench.errors import DataError, ToolBenchError, UsageError
from tool_bench.training import entry
from tool_bench.training.nonces import KEPT, claim, in_folder
from tool_bench.training.signing import RefusedError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NONCES = [f"{n:032x}" for n in range(40)]


@pytest.fixture
def nonces(tmp_path: Path) -> Path:
    folder = tmp_path / "nonces"
    folder.mkdir()
    return folder


@pytest.fixture
def snapshot_address(tmp_path: Path) -> str:
    return save_snapshot(str(tmp_path / "snapshots"))


@pytest.fixture
def start(tmp_path: Path, nonces: Path) -> Callable[..., entry.Made]:
    def started(signed: bytes, train: entry.Train, **changed: Any) -> entry.Made:
        given: dict[str, Any] = {
            "allowed": ALLOWED,
            "claim": in_folder(nonces),
            "folder": tmp_path / "run",
        }
        return entry.run(signed, train=train, **(given | changed))

    return started


def test_a_signed_request_trains_what_it_says_and_nothing_else(
    start: Callable[..., entry.Made], snapshot_address: str, tmp_path: Path
) -> None:
    train, place = FakeTrainer(), tmp_path / "models" / "small"
    signed = signed_request(snapshot_address, str(place))
    assert start(signed, train) == entry.Made("alice", str(place), SCORES)
    assert train.asked == [(RECIPE, snapshot_address, tmp_path / "run")]
    assert (place / "weights").read_bytes() == b"weights"
    assert (place / "part" / "config.json").read_bytes() == b"{}"
    assert (place / "request.json").read_bytes() == signed
    made = json.loads((place / "made.json").read_bytes())
    assert (made["signer"], made["scores"]["tldr"]["hit_at_1"]) == ("alice", 0.5)
    assert made["files"] == {
        "weights": hashlib.sha256(b"weights").hexdigest(),
        "part/config.json": hashlib.sha256(b"{}").hexdigest(),
    }


def test_a_model_may_go_to_any_address_of_fsspec(
    start: Callable[..., entry.Made], snapshot_address: str, tmp_path: Path
) -> None:
    fsspec = pytest.importorskip("fsspec")
    place = f"memory://{tmp_path.name}/models/small/"
    start(signed_request(snapshot_address, place), FakeTrainer())
    held = fsspec.filesystem("memory").find(f"/{tmp_path.name}/models/small")
    assert [name.rpartition("small/")[2] for name in held] == [
        "made.json",
        "part/config.json",
        "request.json",
        "weights",
    ]


def test_a_request_starts_one_run(
    start: Callable[..., entry.Made], snapshot_address: str, tmp_path: Path
) -> None:
    train = FakeTrainer()
    signed = signed_request(snapshot_address, str(tmp_path / "model"))
    start(signed, train)
    with pytest.raises(RefusedError, match="refused, replayed: this request of alice") as caught:
        start(signed, train)
    assert caught.value.reason == "replayed"
    again = json.dumps(json.loads(signed)).encode()  # the same request, written otherwise
    with pytest.raises(ToolBenchError):
        start(again, train)
    assert len(train.asked) == 1


def test_a_run_that_died_has_used_its_request_up(
    start: Callable[..., entry.Made], snapshot_address: str, tmp_path: Path
) -> None:
    place = str(tmp_path / "model")
    signed = signed_request(snapshot_address, place)
    with pytest.raises(KeyboardInterrupt):
        start(signed, FakeTrainer(broken=True))
    with pytest.raises(RefusedError, match="replayed"):
        start(signed, FakeTrainer())
    start(signed_request(snapshot_address, place), FakeTrainer())  # the place is still free


@pytest.mark.parametrize("reason", ["unsigned", "altered", "key not allowed", "expired"])
def test_a_refused_request_neither_trains_nor_is_used_up(
    start: Callable[..., entry.Made],
    snapshot_address: str,
    nonces: Path,
    tmp_path: Path,
    reason: str,
) -> None:
    signed = signed_request(snapshot_address, str(tmp_path / "model"), NOON)
    content = json.loads(signed)
    if reason == "unsigned":
        del content["signature"]
    if reason == "altered":
        content["request"]["snapshot"] = "/elsewhere"
    allowed = {"bob": bytes(32)} if reason == "key not allowed" else ALLOWED
    now = NOON + 3 * HOUR if reason == "expired" else NOON
    train = FakeTrainer()
    with pytest.raises(RefusedError, match=f"refused, {reason}"):
        start(json.dumps(content).encode(), train, allowed=allowed, now=now)
    assert not train.asked
    assert not list(nonces.iterdir())
    start(signed, train, now=NOON)


def test_a_snapshot_must_be_the_one_that_was_signed(
    start: Callable[..., entry.Made], snapshot_address: str, nonces: Path, tmp_path: Path
) -> None:
    folder = Path(snapshot_address.removeprefix("file://"))
    other = b'{"id": "tldr/rm"}\n'
    (folder / "tools.jsonl").write_bytes(other)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["tools.jsonl"] = hashlib.sha256(other).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest, sort_keys=True), encoding="utf-8")
    train = FakeTrainer()
    with pytest.raises(DataError, match="is not what the folder is named by"):
        start(signed_request(snapshot_address, str(tmp_path / "model")), train)
    with pytest.raises(DataError, match="is no snapshot"):
        start(signed_request(str(tmp_path / "nowhere"), str(tmp_path / "model")), train)
    assert not train.asked
    assert not list(nonces.iterdir())


def test_another_run_s_folder_or_data_uses_no_request_up(
    start: Callable[..., entry.Made], snapshot_address: str, nonces: Path, tmp_path: Path
) -> None:
    train, place = FakeTrainer(), str(tmp_path / "model")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "recipe.json").write_text("{}\n", encoding="utf-8")
    signed = signed_request(snapshot_address, place)
    with pytest.raises(DataError, match="is another run's; choose a new folder"):
        start(signed, train)
    (folder / "recipe.json").unlink()
    longer = RECIPE.model_copy(update={"text": RECIPE.text.model_copy(update={"style": "full"})})
    other = save_snapshot(str(tmp_path / "snapshots"), longer)
    with pytest.raises(DataError, match=r"built for another recipe than 'small': text\.style"):
        start(signed_request(other, place), train)
    assert not train.asked
    assert not list(nonces.iterdir())
    assert not list(folder.iterdir()), "a request that is refused leaves nothing behind"
    start(signed, train)


def test_no_model_is_overwritten(
    start: Callable[..., entry.Made], snapshot_address: str, nonces: Path, tmp_path: Path
) -> None:
    place = tmp_path / "model"
    place.mkdir()
    (place / "weights").write_bytes(b"somebody's")
    train = FakeTrainer()
    with pytest.raises(UsageError, match="is not empty, and models are never overwritten"):
        start(signed_request(snapshot_address, str(place)), train)
    assert not train.asked
    assert not list(nonces.iterdir())
    assert (place / "weights").read_bytes() == b"somebody's"
    place = tmp_path / "another"
    start(signed_request(snapshot_address, str(place)), train)
    with pytest.raises(UsageError, match="is not empty"):  # a new request for the same place
        start(signed_request(snapshot_address, str(place)), train)
    assert len(train.asked) == 1


def test_a_trainer_that_leaves_no_model(
    start: Callable[..., entry.Made], snapshot_address: str, tmp_path: Path
) -> None:
    place = tmp_path / "model"
    with pytest.raises(DataError, match="training has left no model"):
        start(signed_request(snapshot_address, str(place)), lambda *_: SCORES)
    assert not place.exists()


def test_of_many_starters_one_starts(
    start: Callable[..., entry.Made], snapshot_address: str, tmp_path: Path
) -> None:
    starters = 12
    signed = signed_request(snapshot_address, str(tmp_path / "model"))
    ready, train = threading.Barrier(starters), FakeTrainer()

    def race(number: int) -> str:
        ready.wait()
        try:
            return start(signed, train, folder=tmp_path / f"run{number}").signer
        except RefusedError as error:
            return error.reason

    with ThreadPoolExecutor(starters) as pool:
        ends = sorted(pool.map(race, range(starters)))
    assert ends == ["alice", *["replayed"] * (starters - 1)]
    assert len(train.asked) == 1


RACER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tool_bench.training.nonces import claim
print(flush=True)
sys.stdin.readline()
folder, *nonces = sys.argv[1:]
print(*(nonce for nonce in nonces if claim(Path(folder), nonce, datetime(2099, 1, 1, tzinfo=UTC))))
"""


def test_processes_share_a_folder(nonces: Path) -> None:
    command = [sys.executable, "-c", RACER, str(nonces), *NONCES]
    pipe = subprocess.PIPE
    racers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for racer in racers:
        assert racer.stdout is not None
        racer.stdout.readline()
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = [nonce for racer in racers for nonce in racer.communicate(timeout=60)[0].split()]
    assert sorted(won) == NONCES


def test_nonces_are_kept_a_day_longer_than_their_requests(nonces: Path) -> None:
    first, second = NONCES[:2]
    assert claim(nonces, first, NOON, NOON - HOUR)
    late = NOON + KEPT
    assert claim(nonces, second, NOON + 9 * KEPT, late)
    assert not claim(nonces, first, NOON, late)  # a machine whose clock is late asks again
    assert claim(nonces, NONCES[2], NOON + 9 * KEPT, late + timedelta(seconds=1))
    assert sorted(path.name for path in nonces.iterdir()) == [second, NONCES[2]]


def test_only_nonces_are_removed(nonces: Path) -> None:
    kept = {"README": "old", "0" * 31: NOON.isoformat(), "f" * 32: "", "e" * 32: "no time"}
    for name, text in kept.items():
        (nonces / name).write_text(text, encoding="ascii")
    assert claim(nonces, NONCES[0], NOON + 9 * KEPT, NOON + 3 * KEPT)
    assert {path.name for path in nonces.iterdir()} == {*kept, NONCES[0]}


def test_without_a_memory_nothing_starts(
    start: Callable[..., entry.Made], snapshot_address: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    train = FakeTrainer()
    for folder in (tmp_path / "absent", file):
        with pytest.raises(UsageError, match="used requests cannot be recorded"):
            start(
                signed_request(snapshot_address, str(tmp_path / "model")),
                train,
                claim=in_folder(folder),
            )
    assert not train.asked
