"""The formats that JSON Schemas assert: those of jsonschema, IRIs, in bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from jsonschema import FormatChecker

# What takes quadratic time, or time to compile, has so many characters at most.
MAX_CHARACTERS: Mapping[str, int] = {"uri-template": 2_000, "regex": 2_000}

# The characters that an IRI may have beyond a URI (RFC 3987, 2.2: ucschar).
_BEYOND_URI = re.compile(
    "[\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef\U00010000-\U000efffd]"
)
_URI_OF = {"iri": "uri", "iri-reference": "uri-reference"}


class TooLargeError(Exception):
    """A value has more parts, or more text, than can be validated in time."""


def format_checker(base: FormatChecker) -> FormatChecker:
    """Return the checker of a dialect's formats, with IRIs, in bounds.

    jsonschema asserts IRIs only beside a library that takes 0.7 s to import.
    """
    known: dict[str, Any] = dict(base.checkers)
    for iri, uri in _URI_OF.items():
        if uri in known:
            check, raises = known[uri]
            known[iri] = (_as_uri(check), raises)
    for name, limit in MAX_CHARACTERS.items():
        if name in known:
            check, raises = known[name]
            known[name] = (_bounded(check, name, limit), raises)
    checker = FormatChecker(formats=())
    checker.checkers = known
    return checker


def _as_uri(check: Callable[[object], bool]) -> Callable[[object], bool]:
    def checked(instance: object) -> bool:
        if isinstance(instance, str):
            return check(_BEYOND_URI.sub("x", instance))
        return True

    return checked


def _bounded(
    check: Callable[[object], bool], name: str, limit: int
) -> Callable[[object], bool]:
    def checked(instance: object) -> bool:
        if isinstance(instance, str) and len(instance) > limit:
            told = f"over {limit:,} characters cannot be held to the format {name}"
            raise TooLargeError(told)
        return check(instance)

    return checked
