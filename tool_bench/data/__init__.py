"""Upstream files: where they are kept, how they are fetched and verified, how they are read."""
