"""A language model as the one that proposes the next experiment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tool_bench.errors import UsageError
from tool_bench.llm.budget import Ledger, limited_by
from tool_bench.llm.request import MODEL, request
from tool_bench.training import notebook
from tool_bench.training.autoresearch import Proposal
from tool_bench.training.experiment import Experiment, best
from tool_bench.training.recipe import Recipe
from tool_bench.training.search_space import checked, differences, knobs, recipe_at

MAX_TOKENS = 600
LONGEST_WHY = 300
"""Characters of its reason that are kept."""
NEWEST = 60
"""Experiments that it is shown."""

_PROMPT = """\
You choose the next experiment in a search for the best recipe to fine-tune a small text encoder,
which finds the right tool for a request. What counts is the mean Hit@1 over validation sources; a
difference under .01 is mostly chance.

Experiments so far; experiment 0 is the base recipe:

{table}

The base recipe:

{base}

What can be changed, and to what (a source's number is its share of the base's rows):

{space}

Experiment {best} is the best. Answer with one JSON object and nothing else:
{{"why": "one sentence", "changes": {{"name": value}}}}
where "changes" holds what shall differ from experiment {best}: names from the list above, at least
one, with values as allowed there. Do not repeat an experiment."""


def propose(ledger: Ledger | None, base: Recipe, experiments: Sequence[Experiment]) -> Proposal:
    """Ask the hosted model for the next experiment.

    Args:
        ledger: what may be paid; None for no limit.
        base: the recipe that the search goes out from.
        experiments: all so far, at least one of them feasible.

    Returns:
        What it wants; with no changes and a note where its answer cannot be used.

    Raises:
        UnavailableError: it cannot be asked: no key, no network, or the money is spent.
        ToolBenchError: it goes on failing.
    """
    from tool_bench.llm.client import Client

    top = best(experiments)
    assert top is not None
    asked = request(prompt(base, experiments, top), MAX_TOKENS)
    with limited_by(ledger):
        text = Client().answers([asked])[0].text
    try:
        return _read(text, base, experiments, top)
    except UsageError as error:
        return Proposal({}, note=f"the answer of {MODEL} was not used: {error}")


def prompt(base: Recipe, experiments: Sequence[Experiment], top: Experiment) -> str:
    """Return what the model is asked."""
    shown = [*experiments[:1], *[each for each in experiments[1:] if each.outcome][-NEWEST:]]
    shown += [top] if top not in shown else []
    return _PROMPT.format(
        table=notebook.table(shown),
        base=base.model_dump_json(exclude={"name"}),
        space="\n".join(f"- {knob.name}: {knob.described()}" for knob in knobs(base)),
        best=top.number,
    )


def _read(text: str, base: Recipe, experiments: Sequence[Experiment], top: Experiment) -> Proposal:
    """Read an answer.

    Raises:
        UsageError: it is not one JSON object with allowed changes, or was tried before.
    """
    start = text.find("{")
    try:
        answer, _ = json.JSONDecoder().raw_decode(text, max(start, 0))
    except ValueError:
        raise UsageError("it holds no JSON object") from None
    changes = answer.get("changes")
    if not isinstance(changes, Mapping) or not changes:
        raise UsageError("it names no 'changes'")
    point = checked(changes, base)
    wanted = recipe_at({**top.point, **point}, base, top.notes.run)
    for each in experiments:
        if each.recipe is not None and not differences(each.recipe, wanted):
            raise UsageError(f"experiment {each.number} tried that")
    return Proposal(point, by=MODEL, why=str(answer.get("why", ""))[:LONGEST_WHY])
