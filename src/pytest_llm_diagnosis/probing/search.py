"""From a failing case to its cause, by the asks that tell the most.

The first extra ask changes nothing: at a true failure rate of 10% half of the
failures of a first run are flukes.  After it the arm is asked that narrows the
causes most, until one is certain enough.  No cause is named without the asks
that its sentence needs: a passage rescues almost anything, so that it helps
does not prove ignorance until the free form has failed.  What stays likely and
unproven is asked once or twice more, and then called unexplained.

On planted faults this finds .97 of the causes with 5.5 calls a failure, and a
fixed order of the same arms, each asked up to three times, .90 with 6.1
(`python -m benchmarks.planted --only causes --worlds 120 --seed 70001`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Arm, Finding

from .agreement import agrees
from .claims import (
    contrast,
    open_causes,
    proof,
    showing_arms,
    shown_label,
)
from .interview import Asker, CallFailedError, Interview
from .situation import ProbeMode, Situation
from .states import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How far a search goes.

    It ends at `certainty`, after `calls`, or when no ask is expected to narrow
    the causes by `gain` nats; asks that a cause's sentence needs still follow.
    """

    certainty: float
    calls: int
    gain: float


DEPTHS: Mapping[ProbeMode, Depth] = {
    "quick": Depth(certainty=0.7, calls=5, gain=0.05),
    "standard": Depth(certainty=0.95, calls=14, gain=0.02),
}


RETRIEVAL_MISS = "retrieval miss"
"""The passage would help, and was not retrieved."""
DISTRACTED = "distracted"
"""The passage alone helps, and was retrieved among others."""
NOT_USED = "not used"
"""The passage alone does not help either."""

_TO_SHOW = 2
"""So many asks more when a likely fix has not worked yet."""


async def find_cause(
    situation: Situation, asker: Asker, mode: ProbeMode = "standard"
) -> Finding:
    """Return why the case fails, with every ask that says so.

    Errors of `asker` other than `ArmUnavailableError` are passed on.
    """
    interview = Interview(situation, asker)
    try:
        label = await _search(interview, DEPTHS[mode])
    except CallFailedError as failed:
        note = f"a call of arm {failed} failed"
        return _finding(interview, Label("infrastructure"), note)
    if label.cause in {"knowledge", "unexplained"} and _looks_right(interview):
        note = "the answer agrees with the reference"
        return _finding(interview, Label("check_suspect"), note)
    return _finding(interview, label, _note(interview, label))


async def _search(interview: Interview, depth: Depth) -> Label:
    while arm := _next_arm(interview, depth):
        await interview.ask(arm)
    label = shown_label(interview)
    if not all(map(interview.has, proof(interview, label.cause))):
        return Label("unexplained")
    if not all(map(interview.has, contrast(interview, label))):
        return label._replace(rung=None)
    return label


def _next_arm(interview: Interview, depth: Depth) -> Arm | None:
    if "R" in interview.untested:
        return None
    if not interview.has("R") or interview.seems_to_repeat:
        return "R"
    return (
        _telling_arm(interview, depth)
        or _needed_arm(interview)
        or _showing_arm(interview, depth)
    )


def _telling_arm(interview: Interview, depth: Depth) -> Arm | None:
    belief = interview.belief
    certain = belief.labels()[belief.likeliest()] >= depth.certainty
    arms = interview.open_arms()
    if certain or interview.calls >= depth.calls or not arms:
        return None
    gains = {arm: belief.gain(arm, interview.graded(arm)) for arm in arms}
    best = max(arms, key=gains.__getitem__)
    return best if gains[best] >= depth.gain else None


def _needed_arm(interview: Interview) -> Arm | None:
    label = interview.belief.likeliest()
    needed = (*proof(interview, label.cause), *contrast(interview, label))
    open_arms = interview.open_arms()
    return next(
        (arm for arm in needed if arm in open_arms and not interview.has(arm)), None
    )


def _showing_arm(interview: Interview, depth: Depth) -> Arm | None:
    """Return an arm that is likely to work and has not yet, by bad luck."""
    if interview.calls >= depth.calls + _TO_SHOW:
        return None
    showing = showing_arms(interview, interview.belief.likeliest())
    open_arms = interview.open_arms()
    return next((arm for arm in showing if arm in open_arms), None)


def _looks_right(interview: Interview) -> bool:
    replies = [*interview.controls, *interview.replies.get("F", ())]
    situation = interview.situation
    return agrees(replies, situation.ideal_text, situation.question)


def _note(interview: Interview, label: Label) -> str | None:
    situation = interview.situation
    notes = []
    if interview.repeats_itself:
        notes.append("deterministic replay: instability not testable")
    if situation.retrieving and label.cause == "unexplained" and interview.has("E"):
        notes.append(NOT_USED)
    if situation.gold_retrieved is not None and label.cause in {"knowledge", "both"}:
        notes.append(DISTRACTED if situation.gold_retrieved else RETRIEVAL_MISS)
    if label.cause == "unexplained" and (causes := open_causes(interview)):
        *others, last = causes
        told = f"{', '.join(others)} or {last}" if others else last
        notes.append(f"could be {told}")
    return "; ".join(notes) or None


def _finding(interview: Interview, label: Label, note: str | None) -> Finding:
    return Finding(
        cause=label.cause,
        rung=label.rung,
        probability=_probability(interview, label),
        arms={
            arm: tuple(reply.ask for reply in replies)
            for arm, replies in interview.replies.items()
        },
        untested=_missed(interview, label),
        note=note,
    )


def _missed(interview: Interview, label: Label) -> tuple[Arm, ...]:
    # What could not be asked matters only where it could have changed the cause.
    if label.cause == "both":
        label = interview.belief.likeliest()
    mattering = set(contrast(interview, label))
    if label.cause == "unexplained":
        mattering = {*interview.untested}
    if interview.situation.formed:
        # Whether it knows was not asked where form alone fails or was put right.
        open_to_doubt = label.cause in {"knowledge", "both", "behavior", "unexplained"}
        asked = interview.facts_fail and open_to_doubt
        mattering = mattering | {"F"} if asked else mattering - {"F"}
    return tuple(arm for arm in interview.untested if arm in mattering)


def _probability(interview: Interview, label: Label) -> float | None:
    # A cause that a missing arm or a suspect check put in place of the
    # likeliest one follows from no probability.
    if label.cause != interview.belief.likeliest().cause:
        return None
    return interview.belief.probability_of(label.cause)
