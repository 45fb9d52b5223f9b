"""Case x variant x trial x arm to a request, with its key.

An arm changes one thing (method.md section 2): `F` frees the form, `S` states
the instruction, `X` adds examples to it, `E` shows the gold passage alone; two
letters are both changes.  `first` and the control `R` change nothing.
"""

from __future__ import annotations

from .keys import KEY_FORMAT, keyed
from .planning import (
    EXAMPLES_PER_ARM,
    FREE_FORM,
    ArmUnavailableError,
    RequestPlanner,
)
from .prepared import Prepared
from .turns import NO_DEMAND

__all__ = [
    "EXAMPLES_PER_ARM",
    "FREE_FORM",
    "KEY_FORMAT",
    "NO_DEMAND",
    "ArmUnavailableError",
    "Prepared",
    "RequestPlanner",
    "keyed",
]
