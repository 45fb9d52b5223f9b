"""Python code that a variants file names."""

from __future__ import annotations

import re

_TARGET = re.compile(r"\w+(?:\.\w+)*:\w+(?:\.\w+)*")


def is_target(text: str) -> bool:
    """Whether a text is of the form `module:attribute`."""
    return _TARGET.fullmatch(text) is not None
