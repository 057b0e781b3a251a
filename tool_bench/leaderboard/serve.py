"""Serves a built board to this machine's browsers."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tool_bench.errors import ToolBenchError

HOST = "127.0.0.1"


class _Quiet(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # a board that was built again is shown
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Say nothing: a page is hundreds of requests."""


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of ``folder`` on this machine alone; ``serve_forever`` starts it.

    Args:
        folder: the built board.
        port: where it listens; 0 takes any that is free.

    Raises:
        ToolBenchError: the port is taken or may not be used.
    """
    try:
        return ThreadingHTTPServer((HOST, port), partial(_Quiet, directory=str(folder)))
    except (OSError, OverflowError) as error:
        raise ToolBenchError(
            f"cannot listen on port {port}: {error}; choose another by --port"
        ) from None
