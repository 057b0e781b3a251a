"""The lab notebook: one Markdown file a study, made anew from the study whenever something ended.

Nothing is ever appended, so that workers who write at the same moment cannot mix their lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tool_bench.store import write_atomically
from tool_bench.training.experiment import Experiment, Limits, best, ranked
from tool_bench.training.findings import by_source, compared, suggestion
from tool_bench.training.recipe_file import as_toml
from tool_bench.training.search_space import differences

SHOWN = 10
"""Experiments in the table of the best."""
MATTERING = 10
"""Knobs in the table of what matters."""

_ABOUT = """\
Recipes are searched by the mean Hit@1 over validation sources, each counting the same; a source
with providers counts with the mean of its two scopes. No evaluation request is read. A model must
stay within {p50:g} ms for one query (p50) and {size:g} MB.

A difference counts when it is over two standard errors, requests taken as a sample and runs as
independent. The best of many experiments is flattered by chance: what it is worth, the gate
decides on other data."""


def write(
    path: Path,
    name: str,
    limits: Limits,
    experiments: Sequence[Experiment],
    importances: Mapping[str, float],
) -> None:
    """Write the notebook of the study ``name`` to ``path``, whole or not at all.

    Raises:
        ToolBenchError: the file cannot be written.
    """
    write_atomically({path: render(name, limits, experiments, importances).encode("utf-8")})


def render(
    name: str,
    limits: Limits,
    experiments: Sequence[Experiment],
    importances: Mapping[str, float],
) -> str:
    """Return the notebook as Markdown: the summary first, then each experiment, the newest last."""
    parts = [
        f"# Lab notebook: {name}",
        _ABOUT.format(p50=limits.p50_ms, size=limits.megabytes),
        *_summary(experiments, importances),
        "## Experiments",
    ]
    for each in experiments:
        parts += _entry(each, experiments, limits)
    return "\n\n".join(parts) + "\n"


def table(experiments: Sequence[Experiment]) -> str:
    """Return a table of experiments: scores, cost, and how each differs from experiment 0."""
    base = next((each.recipe for each in experiments if each.number == 0), None)
    lines = [
        "| experiment | Hit@1 | p50 ms | MB | time | differs from experiment 0 in |",
        "|---:|---:|---:|---:|---:|---|",
    ]
    for each in experiments:
        if each.outcome is None or each.recipe is None:
            continue
        cells = (
            f"{each.number}",
            share(each.value or 0.0),
            f"{each.outcome.p50_ms:.1f}",
            f"{each.outcome.megabytes:.0f}",
            _time(each.outcome.seconds),
            ""
            if base is None
            else ", ".join(
                f"{field} {_shown(new)}"
                for field, (_, new) in differences(base, each.recipe).items()
            ),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def share(value: float) -> str:
    """Return a score as ``.873``."""
    return f"{value:.3f}".removeprefix("0")


def _summary(experiments: Sequence[Experiment], importances: Mapping[str, float]) -> Iterator[str]:
    done = [each for each in experiments if each.state == "done"]
    failed = sum(each.state == "failed" for each in experiments)
    over = sum(bool(each.over) for each in done)
    yield (
        f"{len(done)} experiments done, {over} of them over a limit; {failed} failed, "
        f"{sum(each.state == 'running' for each in experiments)} running."
    )
    top = best(experiments)
    if top is None or top.recipe is None:
        return
    yield "## The best"
    first = experiments[0]
    gained = ""
    if first.outcome and top.outcome and first != top:
        found = compared(first.outcome.scores, top.outcome.scores)
        gained = f", {_signed(found.difference)} (± {share(found.chance)}) against the base"
    yield f"Experiment {top.number}: mean Hit@1 {share(top.value or 0.0)}{gained}."
    shown = ranked(experiments)[:SHOWN]
    yield table([*([] if first in shown else [first]), *shown])
    yield f"```toml\n{as_toml(top.recipe)}```"
    if importances:
        yield "## What matters"
        yield "The share of each knob in what decides the score (PED-ANOVA, over all experiments):"
        most = list(importances.items())[:MATTERING]
        rows = [f"| {name} | {share(value)} |" for name, value in most]
        yield "\n".join(["| knob | share |", "|---|---:|", *rows])


def _entry(each: Experiment, experiments: Sequence[Experiment], limits: Limits) -> Iterator[str]:
    if each.state in {"running", "waiting"} or each.recipe is None:
        return
    yield f"### {each.number}"
    if each.state == "interrupted":
        again = "" if each.retried_as is None else f" Tried again as experiment {each.retried_as}."
        yield f"Interrupted: its worker was stopped, or died.{again}"
        return
    number = each.notes.against
    against = None if number is None else experiments[number]
    yield "\n".join(f"- {line}" for line in _tried(each, against))
    if each.outcome is None:
        yield f"Failed: {_plain(each.notes.error)}"
    else:
        yield _given(each, against)
        yield (
            f"Mean Hit@1 {share(each.value or 0.0)}, p50 {each.outcome.p50_ms:.1f} ms, "
            f"{each.outcome.megabytes:.0f} MB, {_time(each.outcome.seconds)}."
        )
    yield f"**Suggests:** {suggestion(each, against, limits)}"


def _tried(each: Experiment, against: Experiment | None) -> Iterator[str]:
    """Yield what was tried, and who wanted it."""
    assert each.recipe is not None
    if against is None or against.recipe is None:
        yield "Tried: the first, with nothing to compare it to"
    else:
        changed = [
            f"{field} {_shown(old)} → {_shown(new)}"
            for field, (old, new) in differences(against.recipe, each.recipe).items()
        ]
        what = ", ".join(changed) or "the same recipe"
        yield f"Tried, against experiment {against.number}, the best before: {what}"
    notes = each.notes
    if notes.mined_by:
        yield f"Mined negatives: by the model of run {notes.mined_by}"
    if notes.proposed_by:
        said = f": “{_plain(notes.why)}”" if notes.why else ""
        yield f"Proposed by {notes.proposed_by}{said}"
    if notes.note:
        yield f"Note: {_plain(notes.note)}"


def _given(each: Experiment, against: Experiment | None) -> str:
    """Return the table of one experiment's scores, a row a source."""
    assert each.outcome is not None
    scores = each.outcome.scores
    before = None if against is None else against.outcome
    changes = {} if before is None else by_source(before.scores, scores)
    lines = [
        "| source | requests | Hit@1 | scoped Hit@1 | MRR@10 | against the best before |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, own in scores.items():
        scoped = "" if own.scoped_hit_at_1 is None else share(own.scoped_hit_at_1)
        change = ""
        if name in changes:
            mark = "**" if changes[name].counts else ""
            change = f"{mark}{_signed(changes[name].difference)}{mark}"
        cells = (
            name,
            f"{own.requests:,}",
            share(own.hit_at_1),
            scoped,
            share(own.mrr_at_10),
            change,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _signed(value: float) -> str:
    return f"{'-' if value < 0 else '+'}{share(abs(value))}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"  # noqa: PLR2004


def _plain(text: str) -> str:
    """Return a text from outside on one line, without what Markdown or HTML would take amiss."""
    line = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in line)
