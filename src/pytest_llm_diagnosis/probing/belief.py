"""What the asks so far make of the hidden states, and which ask tells most.

Bayes over `states`: an answer is right with a chance that is itself unknown,
so each dimension of a case has a Beta prior per chance and the evidence is
beta-binomial: three wrong answers in a row say less than three times one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from pytest_llm_diagnosis.records import Arm, Ask, Cause

from .states import Chance, Label, Shown, State

Graded: TypeAlias = Literal["facts", "form"]

# Beta(a, b) of a right answer.  `right` and `wrong` leave room for noise in
# both directions, `fluke` for cases that pass anywhere between half the time
# and nearly always.  Chosen on planted faults and held against worlds with
# half and twice their noise.
CHANCES: Mapping[Chance, tuple[float, float]] = {
    "right": (9.3, 0.7),
    "wrong": (0.5, 9.5),
    "fluke": (5.1, 0.9),
}


class _Tally(NamedTuple):
    right: int = 0
    total: int = 0


_UNSEEN = _Tally()


class _Track:
    """One state, its weight, and what was seen of each of its chances."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.label = state.label
        self.weight = state.weight
        self._shown: dict[Arm, Shown] = {}
        self._tallies: dict[tuple[Graded, Chance], _Tally] = {}

    def expects(self, arm: Arm, graded: Graded) -> float:
        """Return the chance of a right answer, given what was seen."""
        chance = self._chance(arm, graded)
        right, total = self._tallies.get((graded, chance), _UNSEEN)
        a, b = CHANCES[chance]
        return (right + a) / (total + a + b)

    def see(self, arm: Arm, graded: Graded, *, passed: bool) -> None:
        """Weigh one graded dimension of an answer."""
        expected = self.expects(arm, graded)
        self.weight *= expected if passed else 1 - expected
        key = (graded, self._chance(arm, graded))
        right, total = self._tallies.get(key, _UNSEEN)
        self._tallies[key] = _Tally(right + passed, total + 1)

    def _chance(self, arm: Arm, graded: Graded) -> Chance:
        if arm not in self._shown:
            self._shown[arm] = self.state.shows(arm)
        shown = self._shown[arm]
        return shown.facts if graded == "facts" else shown.form


class Belief:
    """The weight of every state after the asks seen so far."""

    def __init__(self, states: Iterable[State]) -> None:
        self._tracks = [_Track(state) for state in states]

    def see(self, arm: Arm, ask: Ask) -> None:
        """Take one ask into account; what it could not show changes nothing."""
        for track in self._tracks:
            if ask.facts is not None:
                track.see(arm, "facts", passed=ask.facts)
            if ask.form is not None:
                track.see(arm, "form", passed=ask.form)
        self._normalise()

    def rule_out(self, impossible: Callable[[State], bool]) -> None:
        """Drop the states that something else has shown impossible."""
        self._tracks = [one for one in self._tracks if not impossible(one.state)]
        self._normalise()

    def _normalise(self) -> None:
        total = sum(track.weight for track in self._tracks)
        for track in self._tracks:
            track.weight /= total

    def labels(self) -> dict[Label, float]:
        """Return the probability of every label."""
        weights: dict[Label, float] = defaultdict(float)
        for track in self._tracks:
            weights[track.label] += track.weight
        return dict(weights)

    def likeliest(self) -> Label:
        """Return the most probable label."""
        labels = self.labels()
        return max(labels, key=labels.__getitem__)

    def probability_of(self, cause: Cause) -> float | None:
        """Return the probability of a cause; None for one that no state has."""
        shares = [p for label, p in self.labels().items() if label.cause == cause]
        return round(sum(shares), 4) if shares else None

    def gain(self, arm: Arm, graded: Sequence[Graded]) -> float:
        """Return by how many nats one ask is expected to narrow the labels."""
        outcomes: dict[tuple[bool, ...], dict[Label, float]] = {}
        for track in self._tracks:
            for outcome, chance in _outcomes(track, arm, graded):
                weights = outcomes.setdefault(outcome, defaultdict(float))
                weights[track.label] += track.weight * chance
        return _entropy(self.labels()) - sum(map(_entropy, outcomes.values()))


def _outcomes(
    track: _Track, arm: Arm, graded: Sequence[Graded]
) -> Iterator[tuple[tuple[bool, ...], float]]:
    chances = [track.expects(arm, dimension) for dimension in graded]
    if len(chances) == 1:
        yield (True,), chances[0]
        yield (False,), 1 - chances[0]
        return
    facts, form = chances
    yield (True, True), facts * form
    yield (True, False), facts * (1 - form)
    yield (False, True), (1 - facts) * form
    yield (False, False), (1 - facts) * (1 - form)


def _entropy(weights: Mapping[Label, float]) -> float:
    # Unnormalised on purpose: an outcome's entropy times its probability.
    total = sum(weights.values())
    return -sum(w * math.log(w / total) for w in weights.values() if w > 0)
