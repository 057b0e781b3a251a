"""The figures of v2's model card, from the stored results.

    python benchmarks/v2_card.py

writes them into baselines/v2/README.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tool_bench import store
from tool_bench.store import write_atomically

CARD = Path(__file__).resolve().parent.parent / "baselines" / "v2" / "README.md"
BEGIN, END = "<!-- begin figures -->\n", "<!-- end figures -->"
METHODS = ("minilm", "v2", "v2-onnx-int8")
HEADLINE = "headline"
ROWS = (
    ("MetaTool", "global", HEADLINE, "Hit@1"),
    ("MetaTool", "global", HEADLINE, "nDCG@5"),
    ("MetaToolMulti", "global", HEADLINE, "nDCG@10"),
    ("MockConnectors", "scoped", "unseen connectors", "Hit@1"),
    ("MockConnectors", "global", "unseen connectors", "Hit@1"),
    ("MockConnectors", "scoped", HEADLINE, "Hit@1"),
    ("MockConnectors", "global", HEADLINE, "Hit@1"),
    ("ToolBench", "global", HEADLINE, "nDCG@10"),
    ("ToolRet4", "global", HEADLINE, "nDCG@10"),
    ("ToolRet4Instruction", "global", HEADLINE, "nDCG@10"),
)


def table(results: Path) -> str:
    """Return the figures as Markdown, with their intervals of 95 %."""
    lines = [
        f"| task | scope | queries | measure | {' | '.join(f'`{each}`' for each in METHODS)} |"
    ]
    lines.append("|---|---|---|---|" + "--:|" * len(METHODS))
    for task, scope, slice_, measure in ROWS:
        cells = []
        for method in METHODS:
            result = store.read_result(store.result_path(results, task, method))
            name = result.data.headline if slice_ == HEADLINE else slice_
            found = result.scopes[scope].slices[name].measures[measure]
            low, high = (f"{end:.3f}".lstrip("0") for end in (found.low, found.high))
            cells.append(f"{found.value:.3f}".lstrip("0") + f" ({low} to {high})")
        lines.append(f"| {task} | {scope} | {name} | {measure} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def with_table(card: str, results: Path) -> str:
    """Return ``card`` with the table of ``results`` between its marks."""
    if card.count(BEGIN) != 1 or card.count(END) != 1:
        sys.exit(f"{CARD} must have one line {BEGIN.strip()} and one line {END}")
    before, _, rest = card.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table(results) + END + after


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    made = with_table(CARD.read_text(encoding="utf-8"), store.default_folder())
    write_atomically({CARD: made.encode("utf-8")})
