from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ablations import World, recipe

from tool_bench.errors import DataError, UnavailableError, UnknownNameError
from tool_bench.training.ablation import Judgement, is_stored, run
from tool_bench.training.effects import effects, left_out, seed_variance
from tool_bench.training.recipe import Recipe
from tool_bench.training.variations import BASE, UNTRAINED, Variation, pick, reduced, variations

BASE_RECIPE = reduced(recipe(), 0.1)
ALL = variations(BASE_RECIPE)


def named(*names: str) -> list[Variation]:
    return [each for each in ALL if each.name in {BASE, *names}]


def changed(one: Recipe, other: Recipe) -> set[str]:
    """Return the parts in which two recipes differ."""
    return {part for part in Recipe.model_fields if getattr(one, part) != getattr(other, part)}


def test_a_variation_changes_one_part_and_is_judged_on_the_same_requests() -> None:
    assert len({each.name for each in ALL}) == len(ALL)
    for each in ALL:
        assert changed(each.recipe, BASE_RECIPE) - {"name", "revision"} <= {
            "negatives": {"negatives"},
            "kinds": {"negatives"},
            "length": {"text"},
            "format": {"text"},
            "order": {"optimiser"},
            "candidates": {"optimiser"},
            "paraphrases": {"data"},
            "sources": {"data"},
            "weights": {"optimiser"},
            "base": {"base"},
        }.get(each.question.split()[0], set()), each.name
        Recipe.model_validate(each.recipe.model_dump())  # what was changed is allowed
        assert each.judged.data == BASE_RECIPE.data
        assert each.recipe.data.held_out == BASE_RECIPE.data.held_out


def test_every_question_is_asked() -> None:
    by_name = {each.name: each.recipe for each in ALL}
    assert [by_name[f"negatives-{n}"].negatives.count for n in (0, 3, 7)] == [0, 3, 7]
    assert by_name["negatives-7"] == by_name["order-random"] == by_name[BASE]  # as it is
    assert by_name["without-same-negatives"].negatives.kinds == ("cross", "mined")
    assert by_name["only-mined-negatives"].negatives.kinds == ("mined",)
    assert [by_name[f"characters-{n}"].text.max_characters for n in (1000, 2000)] == [1000, 2000]
    assert {by_name[f"order-{o}"].optimiser.order for o in ("easy-first", "hard-first")} == {
        "easy-first",
        "hard-first",
    }
    assert by_name["batch-alone"] == by_name[BASE]
    assert by_name["whole-catalogues"].optimiser.whole_catalogue == 256
    assert not by_name["without-paraphrases"].data.paraphrases
    assert [*by_name["without-clinc"].data.sources] == ["metatool", "tldr", "nl2bash"]
    assert [*by_name["without-tldr-nl2bash"].data.sources] == ["metatool", "clinc"]
    assert by_name["lora-16"].optimiser.lora_rank == 16
    assert by_name["bge-base-en-v1.5"].base == "BAAI/bge-base-en-v1.5"
    assert by_name["bge-base-en-v1.5"].revision is not None


def test_formats_are_misaligned_where_one_is_trained_and_another_judged() -> None:
    aligned, misaligned = named("format-full", "format-full-misaligned")[1:]
    assert aligned.recipe == misaligned.recipe
    assert aligned.recipe.text.style == aligned.judged.text.style == "full"
    assert misaligned.judged.text.style == BASE_RECIPE.text.style == "name-description"


def test_a_reduced_recipe_has_fewer_rows_of_each_source_and_still_holds_out() -> None:
    whole = recipe(data={"sources": {"clinc": 2_000, "tldr": 5}, "refit": True, "per_tool": 9})
    small = reduced(whole, 0.1)
    assert small.data.sources == {"clinc": 200, "tldr": 1}
    assert not small.data.refit
    assert small.data.per_tool == 9


def test_names_are_patterns() -> None:
    assert [each.name for each in pick(ALL, ["lora-*"])] == ["lora-16", "lora-16-other-rate"]
    assert pick(ALL, []) == list(ALL)
    with pytest.raises(UnknownNameError, match="negatives-3"):
        pick(ALL, ["negatives-5"])


def test_known_effects_are_found(tmp_path: Path) -> None:
    world = World({"negatives-0": -0.2, "order-easy-first": 0.0, UNTRAINED: -0.15})
    chosen = named("negatives-0", "negatives-7", "order-easy-first", UNTRAINED)
    found = {e.variation.name: e for e in effects(run(chosen, world.evaluate, tmp_path, [1, 2]))}
    for name, truth in world.effects.items():
        low, high = found[name].difference.low, found[name].difference.high
        assert low is not None
        assert high is not None
        assert low < truth < high
        assert high - low < 0.12
    assert found["negatives-0"].difference.beyond_chance
    assert set(found["negatives-0"].by_source) == set(BASE_RECIPE.data.sources)
    assert found["negatives-7"].difference.value == 0  # the recipe itself, not trained again
    assert ("negatives-7", 1) not in world.calls


def test_intervals_cover_the_truth_also_when_seeds_differ(tmp_path: Path) -> None:
    """95 % is promised; without the part of the seeds it is 70 %."""
    chosen = [each for each in ALL if each.recipe.name == each.name and each.trained]
    truth = {each.name: 0.02 * (number % 5 - 2) for number, each in enumerate(chosen)}
    truth[BASE] = 0.0
    covered = []
    for draw in range(9):
        world = World(truth, seed_noise=0.02, draw=draw)
        outcomes = run(chosen, world.evaluate, tmp_path / str(draw), [1, 2])
        assert seed_variance(outcomes, ["clinc"])[1] == len(chosen)
        for each in effects(outcomes)[1:]:
            low, high = each.difference.low, each.difference.high
            assert low is not None
            assert high is not None
            covered.append(low < truth[each.variation.name] < high)
    assert len(covered) > 200
    assert 0.91 <= np.mean(covered) <= 0.99


def test_a_killed_ablation_goes_on_where_it_was(tmp_path: Path) -> None:
    chosen = named("negatives-0", "negatives-3")
    world = World()

    def killed(variation: Variation, folder: Path) -> Judgement:
        if variation.name == "negatives-3" and variation.recipe.seed == 2:
            raise KeyboardInterrupt
        return world.evaluate(variation, folder)

    with pytest.raises(KeyboardInterrupt):
        run(chosen, killed, tmp_path, [1, 2])
    assert is_stored(chosen[1], tmp_path, [1, 2])
    assert not is_stored(chosen[2], tmp_path, [1, 2])
    world.calls.clear()
    again = run(chosen, world.evaluate, tmp_path, [1, 2])
    assert world.calls == [("negatives-3", 2)]
    assert effects(again) == effects(run(chosen, World().evaluate, tmp_path / "whole", [1, 2]))


def test_a_failing_variation_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    world = World()

    def evaluate(variation: Variation, folder: Path) -> Judgement:
        if variation.name == "negatives-0":
            raise RuntimeError("out of memory")
        if variation.name == "bge-base-en-v1.5":
            raise UnavailableError("no weights here")
        found = world.evaluate(variation, folder)
        if variation.name == "order-easy-first":  # on requests of its own
            other = replace(found["clinc"], requests=("another",) * 240)
            return {**found, "clinc": other}
        return found

    chosen = named("negatives-0", "negatives-3", "bge-base-en-v1.5", "order-easy-first")
    found = {each.variation.name: each for each in run(chosen, evaluate, tmp_path, [1])}
    assert found["negatives-0"].problem == "RuntimeError: out of memory"
    assert found["negatives-0"].failed
    assert "evaluate" in found["negatives-0"].trace
    assert found["bge-base-en-v1.5"].problem == "no weights here"
    assert not found["bge-base-en-v1.5"].failed
    assert "other requests" in str(found["order-easy-first"].problem)
    assert found["negatives-3"].models
    assert [e.variation.name for e in effects([*found.values()])] == [BASE, "negatives-3"]


def test_without_the_base_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    def evaluate(variation: Variation, folder: Path) -> Judgement:
        raise UnavailableError("no weights here")

    with pytest.raises(UnavailableError, match="no weights"):
        run(named("negatives-0"), evaluate, tmp_path, [1])


def test_a_folder_of_another_recipe_is_refused(tmp_path: Path) -> None:
    run(named(), World().evaluate, tmp_path, [1])
    other = variations(reduced(recipe(), 0.2))[:1]
    with pytest.raises(DataError, match="another recipe; choose another folder"):
        run(other, World().evaluate, tmp_path, [1])
    (file,) = tmp_path.rglob("hits-*.json")
    content = json.loads(file.read_text())
    del content["hits"]["clinc"]["clusters"]
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match="damaged"):
        run(named(), World().evaluate, tmp_path, [1])


def test_a_model_is_kept_as_long_as_it_is_needed(tmp_path: Path) -> None:
    world = World()

    def evaluate(variation: Variation, folder: Path) -> Judgement:
        if variation.name == "format-full":
            (folder / "model").mkdir(parents=True)
        else:
            assert (folder / "model").is_dir() == (variation.name == "format-full-misaligned")
        return world.evaluate(variation, folder)

    found = run(named("format-full", "format-full-misaligned"), evaluate, tmp_path, [1])
    assert [each.problem for each in found] == [None] * 3
    assert not [*tmp_path.rglob("model")]


def test_a_source_left_out_is_judged_against_the_untrained_model(tmp_path: Path) -> None:
    world = World({UNTRAINED: -0.2, "without-clinc": -0.1, "without-tldr-nl2bash": -0.15})
    chosen = [each for each in ALL if each.left_out or each.name in {BASE, UNTRAINED}]
    outcomes = run(chosen, world.evaluate, tmp_path, [1, 2])
    *each, mean = left_out(outcomes)
    assert [row.source for row in each] == [*BASE_RECIPE.data.sources]
    clinc, tldr = each[1], each[2]
    assert clinc.gain.value == pytest.approx(clinc.others - clinc.untrained)
    assert clinc.gain.value == pytest.approx(0.1, abs=0.07)
    assert clinc.all - clinc.others == pytest.approx(0.1, abs=0.07)
    assert tldr.gain.value == pytest.approx(0.05, abs=0.07)  # nl2bash, of the same file, is out too
    assert mean.gain.value == pytest.approx(np.mean([row.gain.value for row in each]))
    assert mean.source == ""
    assert mean.gain.low is not None
    assert mean.gain.low < (0.2 + 0.1 + 0.05 + 0.05) / 4 < (mean.gain.high or 0)
    shutil.rmtree(tmp_path / UNTRAINED)
    assert left_out([each for each in outcomes if each.variation.name != UNTRAINED]) == []
    single = [each for each in outcomes if len(each.variation.left_out) < 2]
    shown = {each.source for each in left_out(single)}
    assert not shown & {"tldr", "nl2bash"}, "the other one of the two shows its tools"
    assert "clinc" in shown
