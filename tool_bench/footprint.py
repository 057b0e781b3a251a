"""What a method takes up: memory of its process, its index, and the models that it loaded."""

from __future__ import annotations

import pickle  # only ever written, to count bytes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FunctionType
from typing import Any

from tool_bench.query import Query
from tool_bench.tool import Tool

_CONFIGURATION = {".json", ".txt", ".model", ".py"}
_WEIGHTS = ({".safetensors"}, {".bin", ".pt", ".pth"}, {".npy"})
"""The first kind that a folder has is the one that libraries load."""
_OTHER_FORMATS = {"onnx", "openvino", "coreml", "original"}
_FOREIGN = {"mteb", "datasets"}
_SERVICES = ("anthropic", "openai", "tool_bench.llm.")

_loaded: ContextVar[dict[Path, int] | None] = ContextVar("loaded", default=None)


def peak_memory_mib() -> float | None:
    """Return the most main memory this process has held so far, in MiB; None where not known.

    All of it: the interpreter, libraries, data and the method, but not what a GPU holds.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except (OSError, ValueError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, KiB elsewhere


@contextmanager
def recording_models() -> Iterator[dict[Path, int]]:
    """Collect what :func:`model_loaded` is told inside the block: path -> bytes."""
    found: dict[Path, int] = {}
    token = _loaded.set(found)
    try:
        yield found
    finally:
        _loaded.reset(token)


def model_loaded(path: Path) -> None:
    """Say that the model in the folder ``path``, or the file, is in use; said twice counts once."""
    found = _loaded.get()
    if found is not None:
        found[path.resolve()] = _size(path)


def _size(path: Path) -> int:
    """Return the bytes of a model's files, its weights in one format."""
    if path.is_file():
        return path.stat().st_size
    files = [
        file
        for file in path.rglob("*")
        if file.is_file() and not _OTHER_FORMATS & set(file.relative_to(path).parts)
    ]
    there = {file.suffix for file in files}
    weights = next((kind for kind in _WEIGHTS if kind & there), set())
    return sum(file.stat().st_size for file in files if file.suffix in weights | _CONFIGURATION)


def index_bytes(retriever: object) -> int | None:
    """Return what the index of ``retriever`` takes when stored: the length of its pickle.

    Without what is not made by indexing: tool records, models and tokenizers (whatever has an
    ``encode``), clients of services, functions. Nothing is held in memory. None where something
    cannot be pickled, or where an index and a model cannot be told apart (models that mteb lets
    search by themselves).
    """
    sink = _Counter()
    try:
        _IndexPickler(sink).dump(retriever)
    except Exception:  # noqa: BLE001  classes raise what they like when they are pickled
        return None
    return sink.bytes


class _Counter:
    """A file that only counts."""

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, data: bytes) -> int:
        self.bytes += len(data)
        return len(data)

    def add(self, buffer: pickle.PickleBuffer) -> None:
        self.bytes += buffer.raw().nbytes


class _IndexPickler(pickle.Pickler):
    def __init__(self, sink: _Counter) -> None:
        # arrays are handed over as they are, not copied
        super().__init__(sink, protocol=5, buffer_callback=sink.add)

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind is type:
            return NotImplemented
        module = kind.__module__
        if module.partition(".")[0] in _FOREIGN and not hasattr(kind, "encode"):
            raise pickle.PicklingError(f"{module} may hold an index or a model")
        if isinstance(obj, Tool | Query | FunctionType) or hasattr(kind, "encode"):
            return int, ()  # a few bytes in its place
        if module.startswith(_SERVICES) or _is_network(obj):
            return int, ()
        return NotImplemented


def _is_network(obj: object) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(obj, torch.nn.Module)
