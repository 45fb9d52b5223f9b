"""Checks: rules on an answer, each bound to the parameters a case gives it.

`protocol` says what a check is, `registry` knows them by name, and the other
modules hold the built-in ones by family.  Importing this package loads no
library outside the standard one.
"""

from __future__ import annotations

from .protocol import BoundCheck, Check, CheckType, Example
from .registry import RegistrationError, Registry, default_registry

__all__ = [
    "BoundCheck",
    "Check",
    "CheckType",
    "Example",
    "RegistrationError",
    "Registry",
    "default_registry",
]
