"""Passages in the form in which stores keep them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.retrieval.protocol import Embedded

from .ranking import unit

MARKER = "pytest-llm-diagnosis"
"""What everything carries that this package made in a store."""

# Such a text is no text to a database: NUL, lone surrogates, or this very mark.
_ESCAPED = "escaped:"


class Row(NamedTuple):
    """A passage as it is kept: texts that every store takes, a vector of length 1."""

    source: str
    text: str
    vector: tuple[float, ...]


def rows(passages: Iterable[Embedded]) -> list[Row]:
    """Return passages as they are kept.

    Raises `DiagnosisError` when a vector is not finite or not as long as the
    others.
    """
    made: list[Row] = []
    for passage, vector in passages:
        if made and len(vector) != len(made[0].vector):
            raise DiagnosisError(
                f"the vector of {passage.id!r} has {len(vector)} dimensions,"
                f" that of {told(made[0].source)!r} has {len(made[0].vector)}"
            )
        what = f"the vector of {passage.id!r}"
        made.append(Row(kept(passage.id), kept(passage.text), unit(vector, what)))
    return made


def kept(text: str) -> str:
    """Return a text that any store can keep; `told` gives it back."""
    if "\0" in text or text.startswith(_ESCAPED) or not _is_valid(text):
        return _ESCAPED + text.encode("unicode_escape").decode("ascii")
    return text


def told(text: str) -> str:
    """Return the text that was kept."""
    if not text.startswith(_ESCAPED):
        return text
    return text.removeprefix(_ESCAPED).encode("ascii").decode("unicode_escape")


def batches(rows: Sequence[Row], most: int, most_bytes: int) -> Iterator[list[Row]]:
    """Yield the rows in runs of limited number and size; a giant goes alone."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        # A number takes up to 20 characters in JSON.
        own = len(row.text.encode()) + 20 * len(row.vector)
        if batch and (len(batch) == most or size + own > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += own
    if batch:
        yield batch


def fingerprint(revision: str, rows: Iterable[Row]) -> str:
    """Return 16 characters that differ where a revision or its content does."""
    digest = hashlib.sha256(kept(revision).encode())
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()[:16]


def _is_valid(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
