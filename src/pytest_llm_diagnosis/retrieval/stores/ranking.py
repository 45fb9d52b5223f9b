"""One ranking for all stores: cosine similarity, ties by passage id.

Stores compute in single precision, each in its own order, and some find
neighbours by dot product or distance.  So a store only proposes hits with
their vectors; their cosine is computed here, in double precision.  What a store
keeps of ours has length 1, for which all three orders are the same.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from operator import mul
from typing import NamedTuple, TypeAlias

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Context

_SPARE = 10
_GROWTH = 4
# More than single precision loses, less than tells two passages apart.
_SAME = 1e-6
_DIGITS = 6


class Hit(NamedTuple):
    """A passage that a store proposes, with its vector as it is kept there."""

    source: str
    text: str
    vector: Sequence[float]


Propose: TypeAlias = Callable[[tuple[float, ...], int], Sequence[Hit]]


def unit(vector: Sequence[float], what: str) -> tuple[float, ...]:
    """Return a vector of length 1 in single precision; zero stays zero.

    Raises `DiagnosisError` when a number is not finite or none is given; `what`
    names the vector.
    """
    length = math.hypot(*vector)
    if not vector or not math.isfinite(length):
        numbers = [number for number in vector if not math.isfinite(number)]
        held = f"holds {numbers[0]}" if numbers else "has no finite length"
        raise DiagnosisError(f"{what} {held if vector else 'is empty'}")
    return tuple(array("f", (number / (length or 1.0) for number in vector)))


def nearest(
    propose: Propose, vector: Sequence[float], top_k: int, most: int = 10_000
) -> tuple[Context, ...]:
    """Return the best `top_k` of what a store proposes for a vector.

    `propose` gives at most as many hits as it is asked for, the best first.  It
    is asked for more where the last ones tie, so that ids decide and not the
    store, up to `most`.
    """
    question = unit(vector, "the question's vector")
    if top_k < 1:
        return ()
    wanted = max(top_k, min(top_k + _SPARE, most))
    while True:
        hits = propose(question, wanted)
        ranked = _ranked(question, hits)
        if len(hits) < wanted or wanted >= most:
            break
        if ranked[top_k - 1][0] - ranked[-1][0] > 2 * _SAME:
            break
        wanted = min(wanted * _GROWTH, most)
    return tuple(
        Context(text=hit.text, source=hit.source, score=round(score, _DIGITS) + 0.0)
        for score, hit in ranked[:top_k]
    )


def _ranked(
    question: tuple[float, ...], hits: Sequence[Hit]
) -> list[tuple[float, Hit]]:
    """Return hits by falling score; those that tie have one score, and go by id."""
    scored = sorted(
        ((_alike(question, hit.vector), hit) for hit in hits),
        key=lambda pair: -pair[0],
    )
    tied: list[tuple[float, Hit]] = []
    head = math.inf
    for score, hit in scored:
        if head - score > _SAME:
            head = score
        tied.append((head, hit))
    return sorted(tied, key=lambda pair: (-pair[0], pair[1].source, pair[1].text))


def _alike(one: Sequence[float], other: Sequence[float]) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    if not lengths:
        return 0.0
    product = math.fsum(map(mul, one, other))
    return max(-1.0, min(1.0, product / lengths))
