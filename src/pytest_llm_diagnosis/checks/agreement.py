"""Whether a JSON value says what was expected, strictly or as a fact."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeGuard

from pytest_llm_diagnosis.records import Json

from .normalise import fold
from .numerals import numerals, prepared

# How a fact may be spelled where its type was not kept.
_TRUE = frozenset(("true", "yes"))
_FALSE = frozenset(("false", "no"))
_NULL = frozenset(("null", "none"))


def agrees(wanted: Json, found: Json, *, as_fact: bool, subset: bool = False) -> bool:
    """Return whether a value is the expected one.

    `true` is never 1, but 1 is 1.0.  As a fact, the type and spelling of a
    scalar do not matter: `"45"` is 45, `"yes"` is true, `"Damaged"` is
    `damaged`.  With `subset` an object may have keys that were not asked for.
    """
    if isinstance(wanted, Mapping):
        if not isinstance(found, Mapping) or not wanted.keys() <= found.keys():
            return False
        return (subset or len(wanted) == len(found)) and all(
            agrees(item, found[key], as_fact=as_fact, subset=subset)
            for key, item in wanted.items()
        )
    if is_list(wanted):
        return (
            is_list(found)
            and len(wanted) == len(found)
            and all(
                agrees(one, other, as_fact=as_fact, subset=subset)
                for one, other in zip(wanted, found, strict=True)
            )
        )
    return _same_scalar(wanted, found) or (as_fact and _same_fact(wanted, found))


def is_list(value: Json) -> TypeGuard[Sequence[Json]]:
    """Return whether a value is a JSON array."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def told_in(wanted: Json, text: str, key: str = "") -> bool:
    """Return whether a text that is not JSON still tells a scalar.

    Beside its key (`urgent: yes`) any scalar counts; texts and numbers also
    count wherever they stand.
    """
    if isinstance(wanted, str):
        words = rf"(?<!\w){re.escape(fold(wanted))}(?!\w)"
        return bool(fold(wanted)) and bool(re.search(words, fold(text)))
    if isinstance(wanted, Mapping) or is_list(wanted):
        return False
    if _is_number(wanted):
        return _states(text, wanted)
    return bool(key) and any(_same_fact(wanted, word) for word in _beside(key, text))


def as_text(value: Json) -> str:
    """Return a scalar as the text it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _beside(key: str, text: str) -> list[str]:
    """Return the words that follow a key: `urgent: yes`, `'urgent' = True`."""
    pattern = rf"(?<!\w){re.escape(fold(key))}[\"']?\s*(?:[:=]|\bis\b)\s*[\"']?(\w+)"
    return re.findall(pattern, fold(text))


def _same_scalar(wanted: Json, found: Json) -> bool:
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    return wanted == found


def _same_fact(wanted: Json, found: Json) -> bool:
    if isinstance(found, Mapping) or is_list(found):
        return False
    told = fold(as_text(found))
    if isinstance(wanted, str):
        return told == fold(wanted)
    if _is_number(wanted):
        return isinstance(found, str) and _states(found, wanted)
    if wanted is None:
        return told in _NULL
    return told in (_TRUE if wanted else _FALSE)


def _is_number(value: Json) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _states(text: str, wanted: float) -> bool:
    number = Decimal(str(wanted))
    return any(each.value == number for each in numerals(prepared(text)))
