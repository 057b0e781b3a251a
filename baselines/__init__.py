"""Baselines, one file or folder each; reached through :mod:`tool_bench.registry` only."""
