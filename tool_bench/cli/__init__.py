"""The command line: one module per command, nothing heavy imported before it is needed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.exceptions import Abort, TyperException

from tool_bench import __version__
from tool_bench.cli.common import debugging
from tool_bench.environment import prepare
from tool_bench.errors import ToolBenchError

INTERRUPTED = 130

# As --help lists them, each with its module: a function of that name with its
# EPILOG, or a group of commands, its app.
COMMANDS = {
    "run": "run",
    "list": "list_",
    "results": "results",
    "search": "search",
    "compare": "compare",
    "reproduce": "reproduce",
    "rescore": "rescore",
    "release": "release",
    "scale": "scale",
    "train": "train",
    "ablate": "ablate",
    "mine": "mine",
    "export": "export",
    "autoresearch": "autoresearch",
    "gate": "gate",
    "data": "data",
    "sign": "sign",
    "site": "site",
}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tool-bench {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks; works after any command.")
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 fine, 1 something failed, 2 called wrongly."""
    words = sys.argv[1:] if arguments is None else arguments
    debugging.set("--debug" in words)
    prepare()
    sys.exit(_run([word for word in words if word != "--debug"]))


def _app(names: Iterable[str]) -> typer.Typer:
    app = typer.Typer(
        help="Measure which method finds the right tool for an AI agent.",
        epilog="Start with: tool-bench run --all\n\nEach command has examples: "
        "tool-bench run --help",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in names:
        module = import_module(f"tool_bench.cli.{COMMANDS[name]}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name, epilog=module.EPILOG)(getattr(module, COMMANDS[name]))
    return app


def _run(words: list[str]) -> int:
    asked = next((word for word in words if not word.startswith("-")), "")
    # Only what was asked for is built: all of them would take as long as a light command does.
    app = _app([asked] if asked in COMMANDS else COMMANDS)
    try:
        code = int(app(words, prog_name="tool-bench", standalone_mode=False) or 0)
    except TyperException as error:
        if error.format_message():  # empty after the help of a command that needs another word
            _complain(f"{error.format_message()} (tool-bench --help shows the commands)")
        return error.exit_code
    except (KeyboardInterrupt, Abort):
        code = INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe has gone: nobody is left to tell
        sys.stderr.close()
        return 1
    except Exception as error:
        if debugging.get():
            raise
        _complain(_explain(error))
        return error.exit_code if isinstance(error, ToolBenchError) else 1
    if code == INTERRUPTED:  # also typer's own answer to Ctrl-C
        _complain("interrupted; what was finished is kept")
    return code


def _explain(error: Exception) -> str:
    if isinstance(error, ToolBenchError):
        return str(error)
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return f"{type(error).__name__}: {error} (a bug; --debug shows where)"


def _complain(text: str) -> None:
    Console(stderr=True, highlight=False).print(
        f"[bold red]error:[/] {escape(text)}", soft_wrap=True
    )
