"""What must be set before numpy, torch and mteb are imported."""

from __future__ import annotations

import os


def prepare() -> None:
    """Set the variables of this process; what the user has set stays.

    Torch's threads go on spinning after a forward pass, and BLAS threads that start meanwhile
    fight them for the cores: two pools made single queries 2 to 3 times slower on two cores. One
    pool, torch's, does the parallel work. Mteb creates its cache folder on import, so it must be
    told where before.
    """
    from tool_bench.data.paths import cache_folder

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("MTEB_CACHE", str(cache_folder() / "mteb"))
