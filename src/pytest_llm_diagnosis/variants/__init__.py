"""`llm_variants.yaml` to variants.

A variant that `extends` another takes over every key that it does not give
itself; `params` are merged key by key, everything else is replaced.  Giving one
of `model`, `call` and `script` drops the inherited others.
"""

from __future__ import annotations

from .comparing import differences
from .environment import filled_text
from .files import VariantsFile, find_variants_file
from .giving import corpus_text
from .loading import load_variants
from .selection import resolve_selection

__all__ = [
    "VariantsFile",
    "corpus_text",
    "differences",
    "filled_text",
    "find_variants_file",
    "load_variants",
    "resolve_selection",
]
