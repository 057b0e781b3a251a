"""The command line: one module per command, nothing heavy imported before it is needed."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.exceptions import Abort, TyperException

from tool_bench import __version__
from tool_bench.cli import (
    ablate,
    autoresearch,
    compare,
    data,
    export,
    gate,
    list_,
    release,
    reproduce,
    rescore,
    results,
    run,
    scale,
    search,
    sign,
    site,
    train,
)
from tool_bench.cli.common import debugging
from tool_bench.environment import prepare
from tool_bench.errors import ToolBenchError

INTERRUPTED = 130

app = typer.Typer(
    help="Measure which method finds the right tool for an AI agent.",
    epilog="Start with: tool-bench run --all\n\nEach command has examples: tool-bench run --help",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", epilog=run.EPILOG)(run.run)
app.command("list", epilog=list_.EPILOG)(list_.list_)
app.command("results", epilog=results.EPILOG)(results.results)
app.command("search", epilog=search.EPILOG)(search.search)
app.command("compare", epilog=compare.EPILOG)(compare.compare)
app.command("reproduce", epilog=reproduce.EPILOG)(reproduce.reproduce)
app.command("rescore", epilog=rescore.EPILOG)(rescore.rescore)
app.command("release", epilog=release.EPILOG)(release.release)
app.command("scale", epilog=scale.EPILOG)(scale.scale)
app.command("train", epilog=train.EPILOG)(train.train)
app.command("ablate", epilog=ablate.EPILOG)(ablate.ablate)
app.command("mine", epilog=train.MINE_EPILOG)(train.mine)
app.command("export", epilog=export.EPILOG)(export.export)
app.command("autoresearch", epilog=autoresearch.EPILOG)(autoresearch.autoresearch)
app.command("gate", epilog=gate.EPILOG)(gate.gate)
app.add_typer(data.app, name="data")
app.add_typer(sign.app, name="sign")
app.add_typer(site.app, name="site")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tool-bench {__version__}")
        raise typer.Exit


@app.callback()
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


def _run(words: list[str]) -> int:
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
