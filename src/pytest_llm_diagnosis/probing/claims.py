"""What a label claims, and the asks without which it is not said.

A cause is the sentence that its fix worked and the cheaper ones did not, so
naming it takes more than that it is likely.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Literal, NamedTuple

from pytest_llm_diagnosis.records import Arm, Cause

from .interview import Interview
from .states import PRIOR, Label

_NAMED = 0.5
"""A cause is named when it is likelier than all others together."""
_MOST = 0.8
_PROOF: Mapping[Cause, tuple[Arm, ...]] = {
    "knowledge": ("E",),
    "both": ("E",),
    "instruction": ("S",),
    "examples": ("X",),
    "behavior": ("S", "X"),
}


class _Showing(NamedTuple):
    """The arms of which one must have been right for a label to be said."""

    arms: tuple[Arm, ...]
    part: Literal["facts", "all"] = "all"


_SHOWING: Mapping[Label, _Showing] = {
    Label("unstable"): _Showing(("R",)),
    Label("instruction"): _Showing(("S",)),
    Label("examples"): _Showing(("X",)),
    Label("knowledge"): _Showing(("E",), "facts"),
    Label("both", "instruction"): _Showing(("ES",)),
    Label("both", "examples"): _Showing(("EX",)),
    Label("both", "behavior"): _Showing(("E", "EF", "ES", "EX"), "facts"),
}
"""Labels that are not here claim no fix."""


def showing_arms(interview: Interview, label: Label) -> tuple[Arm, ...]:
    """Return the arms that would show a label to be true, none once one has."""
    showing = _SHOWING.get(said(interview, label))
    return () if showing is None or worked(interview, label) else showing.arms


def worked(interview: Interview, label: Label) -> bool:
    """Whether an ask showed what the label says, or none of them can be asked."""
    showing = _SHOWING.get(said(interview, label))
    return (
        showing is None
        or any(interview.seen(arm, showing.part) for arm in showing.arms)
        or all(map(interview.cannot_ask, showing.arms))
    )


def said(interview: Interview, label: Label) -> Label:
    """Return the label as it is said: without an instruction, examples it is.

    What the instruction would have done is open; that examples work is not.
    """
    untold = label.cause == "instruction" and interview.cannot_ask("S")
    return Label("examples") if untold else label


def shown_label(interview: Interview) -> Label:
    """Return the likeliest label whose fix was seen to work.

    It is `unexplained` where that is not likelier than all other causes
    together.  Where a model repeats itself, a fix that failed once has failed
    for good, and does not count among them.
    """
    labels = interview.belief.labels()
    ranked = sorted(labels, key=labels.__getitem__, reverse=True)
    shown = [label for label in ranked if worked(interview, label)]
    best = said(interview, shown[0])
    causes = _causes(interview)
    rivals = {said(interview, label).cause for label in shown}
    if not interview.repeats_itself:
        rivals |= causes.keys()
    likely = causes[best.cause] >= _NAMED * sum(causes[cause] for cause in rivals)
    return best if likely else Label("unexplained")


def open_causes(interview: Interview) -> list[Cause]:
    """Return the causes that an unexplained failure may well have.

    They are the likeliest ones up to four fifths of the whole; none where
    `unexplained` itself is the likeliest.
    """
    causes: dict[Cause, float] = defaultdict(float)
    for label, weight in interview.belief.labels().items():
        causes[label.cause] += weight
    likely: list[Cause] = []
    for cause in sorted(causes, key=causes.__getitem__, reverse=True):
        if sum(causes[one] for one in likely) < _MOST:
            likely.append(cause)
    if likely[0] == "unexplained":
        return []
    return [one for one in PRIOR if one in likely and one != "unexplained"]


def _causes(interview: Interview) -> dict[Cause, float]:
    causes: dict[Cause, float] = defaultdict(float)
    for label, weight in interview.belief.labels().items():
        causes[said(interview, label).cause] += weight
    return causes


def proof(interview: Interview, cause: Cause) -> tuple[Arm, ...]:
    """Return the arms without which a cause is not named."""
    needed: tuple[Arm, ...] = ("R", *_PROOF.get(cause, ()))
    abstains = interview.situation.abstains
    if interview.situation.formed and interview.facts_fail:
        return _formed_proof(cause, needed)
    if cause == "knowledge" and (abstains or not interview.facts_fail):
        # The cheaper fixes come first where the free form cannot speak.
        return ("S", "X", *needed) if abstains else ("S", *needed)
    if cause in {"knowledge", "both", "behavior"} and interview.facts_fail:
        return ("F", *needed) if not abstains else needed
    return needed


def _formed_proof(cause: Cause, needed: tuple[Arm, ...]) -> tuple[Arm, ...]:
    """Return what shows a cause where the free form cannot: all other fixes.

    Ignorance is what only the passage fixes, and it cannot be told from a lost
    form without one.
    """
    if cause in {"knowledge", "both"}:
        return ("S", "X", *needed)
    return (*needed, "E") if cause == "behavior" else needed


def contrast(interview: Interview, label: Label) -> tuple[Arm, ...]:
    """Return the arms that would have shown a cheaper fix, or another one."""
    match label:
        case Label("examples", _):
            return ("S",)
        case Label("both", "instruction"):
            return ("S", "ES")
        case Label("both", "examples"):
            return ("S", "X", "ES", "EX")
        case Label("both", _):
            return ("ES", "EX")
        case Label("unexplained", _):
            free = interview.facts_fail and not interview.situation.formed
            return ("F", "E") if free else ("S", "X", "E")
        case _:
            return ()
