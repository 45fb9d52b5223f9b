"""From a failing case to its cause, by the asks that tell the most.

The first extra ask changes nothing: at a true failure rate of 10% half of the
failures of a first run are flukes.  After it the arm is asked that narrows the
causes most, until one is certain enough.  No cause is named without the asks
that its sentence needs: a passage rescues almost anything, so that it helps
does not prove ignorance until the free form has failed.

On planted faults this finds .97 of the causes with 5.5 calls a failure, and a
fixed order of the same arms, each asked up to three times, .92 with 6.3
(`python -m benchmarks.planted --worlds 40 --seed 4711`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Arm, Cause, Finding

from .agreement import agrees
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


_PROOF: Mapping[Cause, tuple[Arm, ...]] = {
    "knowledge": ("E",),
    "both": ("E",),
    "instruction": ("S",),
    "examples": ("X",),
    "behavior": ("S", "X"),
}


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
    label = _shown_label(interview)
    if label.cause == "instruction" and "S" in interview.untested:
        # What an instruction would have done is open; that examples work is not.
        label = Label("examples")
    barred = [arm for arm in _proof(interview, label.cause) if not interview.has(arm)]
    if barred:
        return Label("unexplained")
    if not all(map(interview.has, _contrast(interview, label))):
        return label._replace(rung=None)
    return label


def _shown_label(interview: Interview) -> Label:
    """Return the likeliest label whose fix was seen to work.

    Likely is not enough: a cause stands for a fix that "worked", so it must have.
    """
    labels = interview.belief.labels()
    ranked = sorted(labels, key=lambda label: labels[label], reverse=True)
    worked = (label for label in ranked if _worked(interview, label))
    return next(worked, Label("unexplained"))


def _worked(interview: Interview, label: Label) -> bool:
    """Whether an ask showed what the label says; some labels claim no fix."""
    match label:
        case Label("instruction", _):
            arm: Arm = "X" if "S" in interview.untested else "S"
            return interview.seen(arm, "all")
        case Label("examples", _):
            return interview.seen("X", "all")
        case Label("knowledge", _):
            return interview.seen("E", "facts") or "E" in interview.untested
        case Label("both", "instruction" | "examples" as rung):
            return interview.seen("ES" if rung == "instruction" else "EX", "all")
        case Label("both", _):
            arms: tuple[Arm, ...] = ("E", "EF", "ES", "EX")
            return any(interview.seen(arm, "facts") for arm in arms)
        case _:
            return True


def _next_arm(interview: Interview, depth: Depth) -> Arm | None:
    if "R" in interview.untested:
        return None
    if not interview.has("R") or interview.seems_to_repeat:
        return "R"
    return _telling_arm(interview, depth) or _needed_arm(interview)


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
    needed = (*_proof(interview, label.cause), *_contrast(interview, label))
    open_arms = interview.open_arms()
    return next(
        (arm for arm in needed if arm in open_arms and not interview.has(arm)), None
    )


def _proof(interview: Interview, cause: Cause) -> tuple[Arm, ...]:
    """Return the arms without which a cause is not named."""
    proof: tuple[Arm, ...] = ("R", *_PROOF.get(cause, ()))
    abstains = interview.situation.abstains
    if cause == "knowledge" and (abstains or not interview.facts_fail):
        # The cheaper fixes come first where the free form cannot speak.
        return ("S", "X", *proof) if abstains else ("S", *proof)
    if cause in {"knowledge", "both", "behavior"} and interview.facts_fail:
        return ("F", *proof) if not abstains else proof
    return proof


def _contrast(interview: Interview, label: Label) -> tuple[Arm, ...]:
    """Return the arms that would have shown a cheaper fix, or another one."""
    match label:
        case Label("examples", _):
            return ("S",)
        case Label("both", "instruction"):
            return ("ES",)
        case Label("both", _):
            return ("ES", "EX")
        case Label("unexplained", _):
            return ("F", "E") if interview.facts_fail else ("S", "X", "E")
        case _:
            return ()


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
        notes.append("not used")
    if situation.gold_retrieved is not None and label.cause == "knowledge":
        notes.append("distracted" if situation.gold_retrieved else "retrieval miss")
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
    mattering = (
        interview.untested
        if label.cause == "unexplained"
        else _contrast(interview, label)
    )
    return tuple(arm for arm in interview.untested if arm in mattering)


def _probability(interview: Interview, label: Label) -> float | None:
    # A cause that a missing arm or a suspect check put in place of the
    # likeliest one follows from no probability.
    if label.cause != interview.belief.likeliest().cause:
        return None
    return interview.belief.probability_of(label.cause)
