"""``tool-bench sign``: requests to train in shared infrastructure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tool_bench.cli.common import JsonOption, console, examples
from tool_bench.cli.steps import steps
from tool_bench.cli.train import RecipeArgument, find_recipe

_REQUEST = (
    "sign request v2 --key alice.pem --snapshot s3://bucket/snapshots/3f0c5d1e9a7b2468 "
    "--model-to s3://bucket/models/v2 --valid-hours 24 -o request.json"
)
_CHECK = "sign check request.json --allowed keys.toml"
_RUN = "sign run request.json --allowed keys.toml --used /srv/used --out /scratch/v2"

app = typer.Typer(
    help="Make and check signed requests to train.",
    no_args_is_help=True,
    epilog=examples("sign keygen alice.pem", _REQUEST, _CHECK, _RUN),
)


@app.command(epilog=examples("sign keygen alice.pem"))
def keygen(
    key: Annotated[Path, typer.Argument(help="The private key's file.", metavar="KEY.pem")],
) -> None:
    """Make a key: the private half in a file, the public half printed.

    The file is readable by its owner alone, and one that exists is not
    overwritten. The printed line goes into the list of allowed keys.
    """
    from tool_bench.training.keys import listed_line, new_key

    public = new_key(key)
    typer.echo(f"The private key is in {key}. The line for the list of allowed keys:", err=True)
    typer.echo(listed_line(key.stem, public))


@app.command(epilog=examples(_REQUEST))
def request(  # noqa: PLR0913, PLR0917  one argument per option of the command line
    recipe: RecipeArgument,
    key: Annotated[Path, typer.Option("--key", help="Your private key.", metavar="KEY.pem")],
    snapshot: Annotated[
        str, typer.Option("--snapshot", help="What to train on.", metavar="ADDRESS")
    ],
    model_to: Annotated[
        str,
        typer.Option("--model-to", help="Where the model goes: an empty place.", metavar="ADDRESS"),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="What to write.", metavar="FILE")],
    valid_hours: Annotated[
        float, typer.Option("--valid-hours", help="How long it may be used.", metavar="H")
    ] = 24,
) -> None:
    """Sign a request to train once.

    The whole recipe goes into the request. Addresses are read by the machine
    that trains; a path is taken from this machine's root.
    """
    from tool_bench.training.keys import read_key, write_new
    from tool_bench.training.signing import make_request, sign

    chosen = find_recipe(recipe)
    signer = read_key(key)
    made = make_request(chosen, _full(snapshot), _full(model_to), valid_hours)
    write_new(out, sign(made, signer), 0o644)
    console().print(f"{escape(str(out))}: valid until {made.expires:%Y-%m-%d %H:%M} UTC")


@app.command(epilog=examples(_CHECK, f"{_CHECK} --json"))
def check(
    file: Annotated[Path, typer.Argument(help="A signed request.", metavar="REQUEST")],
    allowed: Annotated[
        Path, typer.Option("--allowed", help="The list of allowed keys.", metavar="KEYS.toml")
    ],
    as_json: JsonOption = False,
) -> None:
    """Say whether a request would be accepted now, and what it asks for.

    Whether it was used before is known only where training is started.

    Exit code: 0 when it would be accepted, 1 when it would be refused.
    """
    from tool_bench.training.keys import read_allowed, read_bytes
    from tool_bench.training.signing import verify

    signer, asked = verify(read_bytes(file), read_allowed(allowed), datetime.now(UTC), file)
    if as_json:
        print(json.dumps({"signer": signer, "request": asked.model_dump(mode="json")}, indent=1))
        return
    out = console()
    out.print(f"[green]OK[/] signed by {escape(signer)}", soft_wrap=True)
    for what, value in (
        ("recipe", asked.recipe.name),
        ("snapshot", asked.snapshot),
        ("model to", asked.model_to),
        ("made at", f"{asked.made_at:%Y-%m-%d %H:%M} UTC"),
        ("expires", f"{asked.expires:%Y-%m-%d %H:%M} UTC"),
    ):
        out.print(f"  {what:<9} {escape(value)}", soft_wrap=True)


@app.command(epilog=examples(_RUN))
def run(
    file: Annotated[Path, typer.Argument(help="A signed request.", metavar="REQUEST")],
    allowed: Annotated[
        Path, typer.Option("--allowed", help="The list of allowed keys.", metavar="KEYS.toml")
    ],
    used: Annotated[
        Path,
        typer.Option("--used", help="Remembers used requests; shared by all.", metavar="DIR"),
    ],
    out: Annotated[Path, typer.Option("--out", help="The run's working folder.", metavar="DIR")],
) -> None:
    """Train what a request asks for, once, and put the model where it says.

    Exit code: 0 when it is trained, 1 when it is refused.
    """
    from tool_bench.training import entry
    from tool_bench.training.keys import read_allowed, read_bytes
    from tool_bench.training.nonces import in_folder

    with steps():
        made = entry.run(read_bytes(file), read_allowed(allowed), in_folder(used), out)
    console().print(f"[green]trained[/] for {escape(made.signer)}: {escape(made.model)}")


def _full(address: str) -> str:
    """Return a path with its root, and any other address as it is."""
    return address if "://" in address else str(Path(address).expanduser().absolute())
