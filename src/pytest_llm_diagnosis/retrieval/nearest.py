"""The default store of vectors: in memory, every vector compared."""

from __future__ import annotations

import math
import operator
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Context, Passage

from .protocol import Embedded

DIGITS = 6
"""Cosines are rounded, which keeps ties equal on every machine, with numpy or not."""
_NOT_FINITE = "a vector holds what is not a finite number"


Best: TypeAlias = Callable[[Sequence[float], int], Iterable[tuple[int, float]]]
"""Gives the places of the vectors most alike one of length 1, with their cosines:
as many as are wanted, and all that tie with the last."""


class MemoryVectors:
    """Passages by their vectors, for as long as the process lives.

    It compares with every one of them, by numpy where that is installed: a question
    against 10,000 vectors of 256 numbers takes 4 ms so, and 84 ms without
    (`python -m benchmarks.retrieval`).
    """

    def __init__(self) -> None:
        self._revision: str | None = None
        self._passages: tuple[Passage, ...] = ()
        self._length = 0
        self._best: Best = _best_of([])

    def revision(self) -> str | None:
        """Return what `replace` was last given."""
        return self._revision

    def replace(self, revision: str, passages: Iterable[Embedded]) -> None:
        """Keep exactly these passages; raises `DiagnosisError` for unlike lengths."""
        kept = list(passages)
        lengths = {len(one.vector) for one in kept}
        if len(lengths) > 1:
            listed = ", ".join(map(str, sorted(lengths)))
            raise DiagnosisError(f"vectors of unlike lengths: {listed}")
        self._passages = tuple(one.passage for one in kept)
        self._length = lengths.pop() if lengths else 0
        self._best = _best_of([one.vector for one in kept])
        self._revision = revision

    def nearest(self, vector: Sequence[float], top_k: int) -> tuple[Context, ...]:
        """Return at most `top_k` passages, the most alike first.

        Raises `DiagnosisError` for a vector of another length than theirs.
        """
        if top_k < 1 or not self._passages:
            return ()
        if len(vector) != self._length:
            lengths = f"{len(vector)} against {self._length}"
            raise DiagnosisError(f"vectors of unlike lengths: {lengths}")
        ranked = sorted(
            (-score, self._passages[at].id, at)
            for at, score in self._best(unit(vector), top_k)
        )
        return tuple(
            Context(text=self._passages[at].text, source=source, score=-cost)
            for cost, source, at in ranked[:top_k]
        )

    def close(self) -> None:
        """Do nothing: nothing is open."""


def unit(vector: Sequence[float]) -> array[float]:
    """Return a vector of length 1 in the same direction; one of zeros stays."""
    length = math.hypot(*vector)
    if not math.isfinite(length):
        raise DiagnosisError(_NOT_FINITE)
    return array("d", [value / length for value in vector] if length else vector)


def _best_of(vectors: Sequence[Sequence[float]]) -> Best:
    try:
        import numpy as np
    except ImportError:
        return plain_best_of(vectors)
    if not vectors:
        return lambda _vector, _top_k: ()
    matrix = np.array([np.array(vector, dtype=np.float64) for vector in vectors])
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise DiagnosisError(_NOT_FINITE)
    matrix /= np.where(lengths == 0, 1, lengths)

    def best(vector: Sequence[float], top_k: int) -> Iterable[tuple[int, float]]:
        scores = np.round(matrix @ np.array(vector), DIGITS)
        last = len(scores) - min(top_k, len(scores))
        (places,) = np.nonzero(scores >= np.partition(scores, last)[last])
        return [(int(at), round(float(scores[at]), DIGITS)) for at in places]

    return best


def plain_best_of(vectors: Sequence[Sequence[float]]) -> Best:
    """Return what compares with all of the vectors, without numpy."""
    units = [unit(vector) for vector in vectors]

    def best(vector: Sequence[float], _top_k: int) -> Iterable[tuple[int, float]]:
        return enumerate(round(_product(one, vector), DIGITS) for one in units)

    return best


def _product(first: Sequence[float], second: Sequence[float]) -> float:
    product: float = sum(map(operator.mul, first, second))
    return product
