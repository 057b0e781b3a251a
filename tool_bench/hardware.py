"""What machine this is, as far as it can be asked without a library."""

from __future__ import annotations

import os
import platform
import time
from functools import lru_cache
from pathlib import Path


def cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@lru_cache(maxsize=1)
def cpu_model() -> str:
    """Return the processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def memory_bytes() -> int:
    """Return the size of the main memory; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, AttributeError, OSError):
        return 0


def cpu_seconds_elsewhere() -> float | None:
    """Return the processor seconds that other processes took so far, over all cores.

    Time that a host took from its virtual machine counts too. None where the system does not tell,
    and in a container, which is told of all cores of its host.
    """
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
        if sum(line.startswith("cpu") for line in lines) - 1 != cores():
            return None
        user, nice, system, _idle, _wait, *others = map(int, lines[0].split()[1:9])
        busy = (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        return None
    return busy - time.process_time()
