from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import searches
from searches import experiment

from tool_bench.training import notebook
from tool_bench.training.experiment import Experiment, Limits
from tool_bench.training.findings import by_source, compared, suggestion
from tool_bench.training.recipe import Recipe
from tool_bench.training.validation import Scores

LIMITS = Limits(10, 25)


def rendered(*experiments: Experiment) -> str:
    return notebook.render("made-up", LIMITS, experiments, {})


def entry(text: str, number: int) -> str:
    """The part of a notebook about one experiment."""
    return text.partition(f"### {number}\n")[2].partition("\n### ")[0]


SCALED = searches.base(optimiser={"learning_rate": 1e-5, "scale": 30})
BOTH = searches.base(optimiser={"learning_rate": 1e-4, "scale": 30}, negatives={"kinds": ["same"]})


def test_an_entry_says_what_was_tried_what_it_gave_and_what_it_suggests() -> None:
    first = experiment(0, 0.5, proposed_by="the base")
    second = experiment(1, 0.8, 0.48, against=0, recipe=SCALED, mined_by="0000")
    said = entry(rendered(first, second), 1)
    assert "against experiment 0, the best before: optimiser.scale 60 → 30" in said
    assert "| one | 200 | .800 |  | .800 | **+.300** |" in said
    assert "| two | 200 | .480 | .480 | .480 | -.020 |" in said
    assert "Mean Hit@1 .640, p50 5.0 ms, 24 MB, 10 min." in said
    assert "Mined negatives: by the model of run 0000" in said
    assert "**Suggests:** Better beyond chance" in said


def test_the_summary_names_the_best_that_is_within_the_limits() -> None:
    text = rendered(
        experiment(0, 0.5),
        experiment(1, 0.9, against=0, recipe=BOTH, over=("p50_ms",)),
        experiment(2, 0.7, against=0, recipe=SCALED),
        experiment(3, 0.9, state="failed", error="no rows"),
        experiment(4, 0.9, state="running"),
    )
    summary = text.partition("## Experiments")[0]
    assert "3 experiments done, 1 of them over a limit; 1 failed, 1 running." in summary
    assert "Experiment 2: mean Hit@1 .600, +.100 (± .069) against the base." in summary
    assert "| 2 | .600 | 5.0 | 24 | 10 min | optimiser.scale 30 |" in summary
    assert "scale = 30.0" in summary
    assert "| 1 |" not in summary
    assert "### 4" not in text, "it has not ended"


def test_importances_are_listed_greatest_first_and_not_all() -> None:
    many = {f"knob {number}": 0.5 / 2**number for number in range(20)}
    text = notebook.render("made-up", LIMITS, [experiment(0, 0.5)], many)
    table = text.partition("| knob | share |")[2].partition("\n\n")[0].splitlines()[2:]
    assert table[0] == "| knob 0 | .500 |"
    assert len(table) == notebook.MATTERING


@pytest.mark.parametrize(
    ("one", "recipe", "said"),
    [
        (0.8, SCALED, "Better beyond chance: go on from here, optimiser.scale is what helps."),
        (0.3, SCALED, "Worse beyond chance: go back, optimiser.scale is what harms."),
        (0.55, SCALED, "optimiser.scale matters less than that."),
        (0.55, BOTH, "No difference beyond chance (± .071)."),
        (
            0.8,
            BOTH,
            "what helps is among negatives.kinds, optimiser.learning_rate, optimiser.scale.",
        ),
    ],
)
def test_what_counts_is_over_two_standard_errors(one: float, recipe: Recipe, said: str) -> None:
    found = suggestion(experiment(1, one, against=0, recipe=recipe), experiment(0, 0.5), LIMITS)
    assert found.endswith(said)


def test_other_ends_suggest_what_they_can() -> None:
    base = experiment(0, 0.5)
    slow = experiment(1, 0.9, against=0, recipe=SCALED, over=("p50_ms", "megabytes"))
    assert suggestion(base, None, LIMITS) == "What follows is compared with it."
    limits = Limits(5, 20)
    said = suggestion(slow, base, limits)
    assert said == "Not usable: p50 5.0 ms is over 5 ms, and 24 MB are over 20 MB."
    failed = experiment(2, 0.9, state="failed", error="no rows")
    assert "cannot be trained" in suggestion(failed, base, LIMITS)
    mined = experiment(3, 0.9, against=0, mined_by="0000")
    assert "the mined negatives is what helps" in suggestion(mined, base, LIMITS)


def test_chance_alone_seldom_counts_and_a_real_gain_mostly() -> None:
    rng = np.random.default_rng(1)

    def drawn(rate: float) -> dict[str, Scores]:
        hits = rng.binomial(200, [rate, rate]) / 200
        return searches.scores(*hits)

    same = [compared(drawn(0.8), drawn(0.8)).counts for _ in range(1_000)]
    better = [compared(drawn(0.8), drawn(0.9)).counts for _ in range(1_000)]
    assert 0.02 < np.mean(same) < 0.06, "two standard errors leave 5 %"
    assert np.mean(better) > 0.9
    sources = by_source(searches.scores(0.5, 0.5), searches.scores(1.0, 0.5))
    assert [each.counts for each in sources.values()] == [True, False]


def test_the_standard_error_is_that_of_the_difference_of_means() -> None:
    rng = np.random.default_rng(2)
    draws = rng.binomial(200, [[0.6, 0.8]] * 20_000) / 200
    spread = np.std(draws.mean(axis=1) - rng.permutation(draws.mean(axis=1)))
    found = compared(searches.scores(0.6, 0.8), searches.scores(0.6, 0.8))
    assert found.chance == pytest.approx(2 * spread, rel=0.03)


def test_texts_from_outside_stay_on_their_line_and_are_no_markup() -> None:
    why = "<script>x</script>\n# A heading | `code` [link](http://x) **bold**"
    text = rendered(experiment(0, 0.5, proposed_by="a model", why=why, note="a\n\n## b"))
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "\n# A heading" not in text
    assert "\n## b" not in text
    failed = rendered(experiment(0, 0.5, state="failed", error="Error:\n| a | <b>"))
    assert "Failed: Error: \\| a \\| \\<b\\>" in failed


def test_an_interrupted_experiment_says_where_it_went_on() -> None:
    stopped = replace(experiment(0, 0.5, state="interrupted"), retried_as=1)
    text = rendered(stopped, experiment(1, 0.5))
    assert "Tried again as experiment 1." in entry(text, 0)
    assert "Suggests" not in entry(text, 0)
