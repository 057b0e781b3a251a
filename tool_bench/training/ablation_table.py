"""An ablation as tables of a document and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from textwrap import shorten
from typing import Any

from tool_bench.errors import DataError
from tool_bench.leaderboard.printed import share
from tool_bench.stats import FEW_CLUSTERS
from tool_bench.store import write_atomically
from tool_bench.training.ablation import Outcome
from tool_bench.training.effects import (
    Difference,
    Effect,
    LeftOut,
    effects,
    left_out,
    seed_variance,
)
from tool_bench.training.recipe import Recipe
from tool_bench.training.variations import BASE

MARKS = ("ablations", "sources left out")
"""What the two tables' places in a document are called."""
_NONE = "Not measured."
_REASON = 120  # characters of why a variation was not judged


@dataclass(frozen=True)
class Ablation:
    """An ablation, ready to be printed."""

    recipe: Recipe
    """What was varied."""
    scale: float
    """Share of its rows that each variation was given."""
    seeds: tuple[int, ...]
    requests: Mapping[str, int]
    """Source -> validation requests."""
    clusters: Mapping[str, int]
    """Source -> sets of right tools that they have."""
    between_seeds: float | None
    """Standard deviation that seeds give one recipe's Hit@1; None where there is one seed."""
    effects: tuple[Effect, ...]
    problems: tuple[Outcome, ...]
    left_out: tuple[LeftOut, ...]


def ablation_of(
    recipe: Recipe, scale: float, seeds: Sequence[int], outcomes: Sequence[Outcome]
) -> Ablation:
    """Return what ``run`` found, with its intervals; the first outcome is the base's."""
    judged = outcomes[0].models[0]
    variance, freedom = seed_variance(outcomes, list(judged))
    return Ablation(
        recipe=recipe,
        scale=scale,
        seeds=tuple(seeds),
        requests={name: len(own.requests) for name, own in judged.items()},
        clusters={name: len(set(own.clusters)) for name, own in judged.items()},
        between_seeds=variance**0.5 if freedom else None,
        effects=tuple(effects(outcomes)),
        problems=tuple(outcome for outcome in outcomes if outcome.problem is not None),
        left_out=tuple(left_out(outcomes)),
    )


def as_json(found: Ablation) -> dict[str, Any]:
    """Return it as plain values."""
    return {
        "recipe": found.recipe.model_dump(mode="json"),
        "scale": found.scale,
        "seeds": list(found.seeds),
        "requests": dict(found.requests),
        "clusters": dict(found.clusters),
        "between_seeds": found.between_seeds,
        "variations": [
            {
                "name": each.variation.name,
                "question": each.variation.question,
                "setting": each.variation.setting,
                "hit_at_1": each.hit_at_1,
                "difference": asdict(each.difference),
                "by_source": {name: asdict(own) for name, own in each.by_source.items()},
            }
            for each in found.effects
        ],
        "problems": [
            {"name": each.variation.name, "problem": each.problem, "failed": each.failed}
            for each in found.problems
        ],
        "left_out": [asdict(each) for each in found.left_out],
    }


def ablations_markdown(found: Ablation) -> str:
    """Return the table of all variations, question by question, under a line on what it is of."""
    rows = [(each.variation.question, _effect_cells(each)) for each in found.effects]
    for each in found.problems:
        reason = shorten(f"not judged: {each.problem}", _REASON, placeholder=" …")
        rows.append((each.variation.question, (each.variation.setting, "", "", reason)))
    order = list(dict.fromkeys(question for question, _ in rows))
    rows.sort(key=lambda row: order.index(row[0]))
    lines = [_caption(found), "", "| | | Hit@1 | difference | 95 % interval |"]
    lines.append("|---|---|--:|--:|---|")
    for question, group in groupby(rows, key=lambda row: row[0]):
        for number, (_, cells) in enumerate(group):
            lines.append(_line([question if number == 0 else "", *cells]))
    return "\n".join(lines)


def left_out_markdown(found: Ablation) -> str:
    """Return the table of sources that were not trained on; empty where there are none."""
    if not found.left_out:
        return ""
    heads = ("source", "requests", "untrained", "others", "all", "others - untrained", "95 %")
    lines = [_line(heads), "|---|--:|--:|--:|--:|--:|---|"]
    for each in found.left_out:
        clusters = sum(n for name, n in found.clusters.items() if each.source in {name, ""})
        cells = (
            each.source or "mean",
            f"{each.requests:,}",
            share(each.untrained),
            share(each.others),
            share(each.all),
            _marked(each.gain),
            ends(each.gain) + ("*" if clusters < FEW_CLUSTERS else ""),
        )
        lines.append(_line(cells))
    return "\n".join(lines)


def check_document(document: Path) -> str:
    """Return the text of a document that has places for both tables.

    Raises:
        DataError: it is missing, or lacks a mark.
    """
    try:
        text = document.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(document, "the file does not exist") from None
    for mark in MARKS:
        begin, end = _marks(mark)
        if end not in text.partition(begin)[2]:
            raise DataError(document, f"lacks the lines '{begin}' and '{end}', in this order")
    return text


def write_into(document: Path, found: Ablation) -> None:
    """Put both tables between their marks in ``document``; the rest of it stays as it is.

    Raises:
        DataError: as :func:`check_document`.
    """
    text = check_document(document)
    for mark, table in zip(
        MARKS, (ablations_markdown(found), left_out_markdown(found)), strict=True
    ):
        begin, end = _marks(mark)
        before, _, rest = text.partition(begin)
        after = rest.partition(end)[2]
        text = f"{before}{begin}\n\n{table or _NONE}\n\n{end}{after}"
    write_atomically({document: text.encode("utf-8")})


def _marks(mark: str) -> tuple[str, str]:
    return f"<!-- begin {mark} -->", f"<!-- end {mark} -->"


def write(path: Path, found: Ablation) -> None:
    """Write the ablation as JSON."""
    text = json.dumps(as_json(found), indent=1, ensure_ascii=False)
    write_atomically({path: text.encode("utf-8") + b"\n"})


def signed(value: float) -> str:
    """Return a difference of shares with three digits: ``+.012``."""
    return f"{value:+.3f}".replace("0.", ".", 1)


def ends(difference: Difference) -> str:
    """Return the ends of an interval: ``-.003 to +.027``; empty where it has none."""
    if difference.low is None or difference.high is None:
        return ""
    return f"{signed(difference.low)} to {signed(difference.high)}"


def _effect_cells(effect: Effect) -> tuple[str, ...]:
    setting, value = effect.variation.setting, share(effect.hit_at_1)
    if effect.variation.recipe.name == BASE:
        return setting, value, "", "" if effect.variation.name == BASE else "the recipe itself"
    return setting, value, _marked(effect.difference), ends(effect.difference)


def _marked(difference: Difference) -> str:
    """Return the difference, bold where its interval misses zero."""
    text = signed(difference.value)
    return f"**{text}**" if difference.beyond_chance else text


def _caption(found: Ablation) -> str:
    seeds = f"seed{'' if len(found.seeds) == 1 else 's'} {_listed(map(str, found.seeds))}"
    rows = "all its rows" if found.scale == 1 else f"{found.scale:g} of its rows"
    text = (
        f"Recipe `{found.recipe.name}` with {rows}, {seeds}; {sum(found.requests.values()):,} "
        f"validation requests ({sum(found.clusters.values()):,} sets of right tools) "
        f"of {len(found.requests)} sources."
    )
    if found.between_seeds is None:
        return f"{text} With one seed, the intervals say nothing about another."
    spread = f"{found.between_seeds:.4f}".removeprefix("0")
    return f"{text} Seeds give one recipe's Hit@1 a standard deviation of {spread}."


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"
