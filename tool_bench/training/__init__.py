"""Trains the small encoder: sources -> pairs -> splits -> snapshot -> model -> gate.

Each step is one module and data flows one way. What is learned from is checked before a step runs
(``records``), kept apart from what is evaluated (``guard``), and written down with its hashes
(``snapshot``).
"""
