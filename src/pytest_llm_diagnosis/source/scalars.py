"""The value of plain YAML text, after the YAML 1.2 core schema.

`true`, `false`, `null`, whole numbers and decimals have their meaning; `no`,
`on`, dates, `.nan` and hexadecimal numbers stay text.  So do digits behind a
leading zero, because order numbers and postcodes must not lose it.
https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import math
import re

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER_STARTS = frozenset("0123456789+-.")
# Python refuses to convert more than 4,300 digits; nobody means them as a number.
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,300})")
_DECIMAL = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{0,300})?|\.[0-9]{1,300})"
    r"(?:[eE][-+]?[0-9]{1,5})?"
)


def resolve(text: str) -> bool | int | float | str | None:
    """Return the value that unquoted text stands for."""
    if text[:1] in _NUMBER_STARTS:
        return _number(text)
    return _WORDS.get(text, text)


def _number(text: str) -> int | float | str:
    if not text:
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and math.isfinite(value := float(text)):
        return value
    return text
