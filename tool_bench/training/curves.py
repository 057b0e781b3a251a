"""A run's log as a picture."""

from __future__ import annotations

import json
from pathlib import Path


def draw(log: Path, svg: Path) -> None:
    """Draw loss and validation Hit@1 over steps as one SVG.

    Args:
        log: ``log.jsonl`` of a run; rows with ``step`` and figures.
        svg: what to write.
    """
    import altair as alt

    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    losses = [row for row in rows if "loss" in row]
    checked = [
        {"step": row["step"], "source": name.removesuffix(" hit@1"), "Hit@1": value}
        for row in rows
        if "hit@1" in row
        for name, value in row.items()
        if name.endswith(" hit@1")
    ]
    step = alt.X("step:Q", title="step")
    loss = (
        alt.Chart(alt.InlineData(values=losses), title="training loss")
        .mark_line()
        .encode(x=step, y=alt.Y("loss:Q", title="loss"))
    )
    hits = (
        alt.Chart(alt.InlineData(values=checked), title="validation Hit@1")
        .mark_line(point=True)
        .encode(
            x=step,
            y=alt.Y("Hit@1:Q", title="Hit@1", scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("source:N", title=None),
            strokeDash=alt.StrokeDash("source:N", title=None),
        )
    )
    alt.hconcat(loss, hits).save(str(svg))
