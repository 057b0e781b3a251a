"""``tool-bench export``: a model as a small folder that runs without torch, or as an adapter."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.markup import escape

from tool_bench.cli.common import JsonOption, console, examples
from tool_bench.cli.steps import steps
from tool_bench.errors import DataError, UsageError
from tool_bench.tool import Style

EPILOG = examples(
    "export v2 --onnx v2-onnx",
    "export v2 --onnx served --catalogue tools.json",
    "export runs/mine/model --onnx mine-onnx",
    "export runs/mine/model --adapter mine-adapter",
)


def export(  # noqa: PLR0913, PLR0917  one argument per option of the command line
    model: Annotated[
        str,
        typer.Argument(
            help="A model's or adapter's folder, v2, or all-MiniLM-L6-v2.", metavar="MODEL"
        ),
    ],
    onnx: Annotated[
        Optional[Path],  # noqa: UP045  typer reads the annotation at run time
        typer.Option(
            "--onnx", help="The folder to make; an export there gives way.", metavar="DIR"
        ),
    ] = None,
    adapter: Annotated[
        Optional[Path],  # noqa: UP045  as above
        typer.Option(
            "--adapter", help="Where what training changed goes, in few megabytes.", metavar="DIR"
        ),
    ] = None,
    catalogue: Annotated[
        Optional[Path],  # noqa: UP045  as above
        typer.Option(
            "--catalogue",
            help="Encode these tools too: a JSON list, or what an MCP server's tools/list says.",
            metavar="FILE",
        ),
    ] = None,
    style: Annotated[
        Optional[Style],  # noqa: UP045  as above
        typer.Option("--style", help="How it expects tools as text (default: as it was trained)."),
    ] = None,
    max_characters: Annotated[
        Optional[int],  # noqa: UP045  as above
        typer.Option("--max-characters", min=50, help="Where texts are cut (default: likewise)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Export a model to ONNX with eight-bit weights, or to an adapter of its base.

    The ONNX folder runs with onnxruntime, tokenizers and numpy alone: through
    tool_bench.onnx_encoder, or on a function platform as docs/serving says.
    An adapter is how a model trained from all-MiniLM-L6-v2 is kept in few
    megabytes; this command makes ONNX of it again.
    """
    if (onnx is None) == (adapter is None):
        raise UsageError("say what to make: --onnx DIR or --adapter DIR")
    if adapter is not None and (catalogue or style or max_characters):
        raise UsageError("--catalogue, --style and --max-characters are for --onnx")
    tools = None
    with tempfile.TemporaryDirectory() as temporary, steps(quiet=as_json):
        folder = _folder(model, Path(temporary))
        if adapter is not None:
            from tool_bench.training import export_adapter

            made = export_adapter.export(folder, adapter)
        elif onnx is not None:
            from tool_bench.serving import read_tools, write_catalogue

            tools = None if catalogue is None else read_tools(catalogue)
            from tool_bench.training.export_onnx import export as export_model

            made = export_model(folder, onnx, style, max_characters)
            if tools is not None:
                write_catalogue(made.folder, tools)
    if as_json:
        found = {
            "folder": str(made.folder),
            "bytes": made.size,
            "cosine": made.cosine,
            "tools": None if tools is None else len(tools),
        }
        print(json.dumps(found, indent=1))
        return
    encoded = "" if tools is None else f", {len(tools):,} tools"
    console().print(
        f"[green]OK[/] {escape(str(made.folder))}: {made.size / 1e6:.1f} MB{encoded}; cosine to "
        f"the model's own vectors at least {made.cosine:.4f}",
        soft_wrap=True,
    )


def _folder(model: str, temporary: Path) -> Path:
    """Return the folder of the model; an adapter is merged in ``temporary``."""
    from tool_bench.training.recipe import MINILM

    if model == MINILM:
        from tool_bench.sentence import minilm_folder

        return minilm_folder()
    from tool_bench.adapted import ADAPTER, shipped, write_whole

    folder = shipped(model) or Path(model)
    if (folder / ADAPTER).is_file():
        write_whole(folder, temporary / "whole")
        return temporary / "whole"
    if not (folder / "modules.json").is_file():
        problem = f"holds no trained model (no modules.json); v2 and '{MINILM}' are here"
        raise DataError(folder, problem)
    return folder
