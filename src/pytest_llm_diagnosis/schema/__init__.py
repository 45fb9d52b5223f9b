"""What may be written: JSON Schemas of the files, and what breaks them.

The schemas are composed from the checks' own parameter schemas, so that an
editor, the loader and the reference pages know the same checks.
"""

from __future__ import annotations

from .calling import call_schema
from .composing import CASE_KEYS, LOOSE, VARIANT_KEYS, eval_schema, variants_schema
from .stores import NAMESPACE, STORE
from .validating import Validator, located, validate
from .wording import Fault, meant

__all__ = [
    "CASE_KEYS",
    "LOOSE",
    "NAMESPACE",
    "STORE",
    "VARIANT_KEYS",
    "Fault",
    "Validator",
    "call_schema",
    "eval_schema",
    "located",
    "meant",
    "validate",
    "variants_schema",
]
