"""x."""

from __future__ import annotations


def plugin_table(seed: int, cases: int) -> None:
    """Print."""
    print(seed, cases)
