"""The words of a diagnosis: what was found, how sure it is, what to try next.

Nothing is computed here but the rounding of numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_llm_diagnosis.diagnosis import (
    Change,
    Confirmation,
    Confound,
    Diagnosis,
    Recall,
    VariantDiagnosis,
)
from pytest_llm_diagnosis.probing import DISTRACTED, NOT_USED, RETRIEVAL_MISS
from pytest_llm_diagnosis.records import Arm, Ask, Cause, Finding, Json

from .verdicts import FIXES, cases, chance, names, next_text, verdict_text

_RUNGS = {
    "instruction": "instruction",
    "examples": "3 examples",
    "behavior": "another form",
}
_MISSING = {
    "R": "could not be asked again",
    "F": "ask for a form",
    "S": "have no instruction",
    "X": "have too few examples",
    "E": "have no passage",
    "EF": "could not be asked in free form with the passage",
    "ES": "could not be given passage and instruction",
    "EX": "could not be given passage and examples",
}


def diagnosis_dict(diagnosis: Diagnosis) -> dict[str, Json]:
    """Return the JSON-ready diagnosis with its verdicts in words."""
    data = diagnosis.to_dict()
    data["variants"] = [
        {
            **variant.to_dict(),
            "verdict": {
                **variant.verdict.to_dict(),
                "text": verdict_text(variant),
                "next": next_text(variant, diagnosis),
            },
        }
        for variant in diagnosis.variants
    ]
    return data


def head_text(variant: VariantDiagnosis) -> str:
    """Return how many cases failed, and whether they do so again."""
    failed = f"{variant.failing} of {variant.cases} cases failed"
    if not variant.probed:
        return failed
    unstable = variant.causes.get("unstable", 0)
    lost = variant.causes.get("infrastructure", 0)
    repeat = f"{variant.repeating} repeat, {unstable} do not"
    if variant.probed < variant.failing:
        repeat = f"of {variant.probed} probed {repeat}"
    if lost:
        repeat += f", {lost} could not be asked"
    return f"{failed}; {repeat} ({variant.calls} extra calls)"


def cause_table(variant: VariantDiagnosis) -> list[list[str]]:
    """Return the causes that repeat with the fix of each, the head first."""
    rows = [
        [
            str(cause),
            str(count),
            _fix(variant, cause),
        ]
        for cause, count in variant.causes.items()
        if cause != "unstable"
    ]
    return [["cause", "cases", "cheapest fix that worked"], *rows] if rows else []


def _fix(variant: VariantDiagnosis, cause: Cause) -> str:
    if cause != "both":
        return FIXES[cause]
    rungs = [f"{_RUNGS[rung]}: {count}" for rung, count in variant.rungs.items()]
    return f"{FIXES['both']}, plus {', '.join(rungs)}" if rungs else FIXES["both"]


def detail_texts(variant: VariantDiagnosis) -> Iterator[str]:
    """Yield what else the causes show: costumes, what was not tested, notes."""
    worn = variant.costumes
    if worn.total:
        kinds = [
            (worn.knew, "fact check failed though it knew"),
            (worn.ignorant, "form broke because it did not know"),
            (worn.marked, "marked as the other side"),
        ]
        told = "; ".join(f"{kind}: {count}" for count, kind in kinds if count)
        wore = f"{worn.total} of {variant.repeating} wore the other side's costume"
        yield f"{wore} ({told})"
    missing = [
        f"{count} {_MISSING[arm]} ({arm} not tested)"
        for arm, count in variant.untested.items()
        if arm in _MISSING
    ]
    if missing:
        yield "; ".join(missing)
    if variant.recall is not None and (split := _split(variant.recall)):
        yield split
    guesses = []
    for note, count in variant.notes.items():
        if variant.recall is not None and note in _OF_RETRIEVAL:
            continue
        if note.startswith(_GUESS):
            guesses.append(f"{count} {note.removeprefix(_GUESS)}")
        else:
            yield f"{note} ({cases(count)})"
    if guesses:
        yield f"of the unexplained could be: {'; '.join(guesses)}"


_OF_RETRIEVAL = (RETRIEVAL_MISS, DISTRACTED, NOT_USED)
_SPLIT = (
    "not retrieved (retrieval miss)",
    "right with it alone (distracted)",
    "wrong even with it alone (not used)",
)


def _split(recall: Recall) -> str:
    """Return what became of the passage in failing cases; empty if of none."""
    counts = (recall.missed, recall.distracted, recall.unused)
    if not any(counts):
        return ""
    parts = zip(counts, _SPLIT, strict=True)
    told = ", ".join(f"{count} {what}" for count, what in parts)
    return f"the gold passage in failing cases: {told}"


_GUESS = "could be "
"""How a finding's note begins that says what an unexplained case may still be."""


# -- one case, and comparisons ---------------------------------------------


def cause_text(finding: Finding) -> str:
    """Return one case's cause with the asks that say so, on one line."""
    rung = f" ({finding.rung})" if finding.rung else ""
    sure = "" if finding.probability is None else f", P={finding.probability:.2f}"
    untested = "".join(f" ({arm} not tested)" for arm in finding.untested)
    note = f" [{finding.note}]" if finding.note else ""
    return (
        f"{finding.cause}{rung}{sure}: {_evidence(finding) or 'nothing was asked'}"
        f"{untested}{note}"
    )


ASKED = {
    "R": "asked again unchanged",
    "F": "in free form",
    "S": "with the instruction",
    "X": "with examples",
    "E": "with the passage",
    "EF": "in free form with the passage",
    "ES": "with passage and instruction",
    "EX": "with passage and examples",
}


def _evidence(finding: Finding) -> str:
    arms = [arm for arm in ASKED if finding.arms.get(arm)]
    return ", ".join(_showed(finding.arms[arm], ASKED[arm]) for arm in arms)


def _showed(asks: Sequence[Ask], how: str) -> str:
    answered = [ask for ask in asks if not ask.error]
    if not answered:
        return f"no answer {how}"
    right = sum(ask.passed for ask in answered)
    if right:
        return f"right in {right} of {len(answered)} {how}"
    misshapen = sum(ask.facts is True for ask in answered)
    if misshapen:
        return f"right but in wrong form in {misshapen} of {len(answered)} {how}"
    return f"wrong in {len(answered)} of {len(answered)} {how}"


def confound_text(confound: Confound) -> str:
    """Return one reason not to read the results as they look."""
    match confound.kind:
        case "several_changes":
            return (
                f"{confound.variant} differs from the first variant in more than one "
                f"thing ({names(confound.names)}): what helped is open."
            )
        case "selection":
            return "only a selection of the suite ran: its cases may not be typical."
        case "one_mark":
            return f"all cases are marked {confound.names[0]}: one side is all it sees."
        case "no_facts":
            return "no case has a fact check or a passage: ignorance cannot show."
        case "no_form":
            return "no case has a form check: failures of behavior hardly show."
        case _:
            return (
                f"stored and live answers are mixed (stored: {names(confound.names)})."
            )


def confirmed_text(fix: str, change: Change) -> str:
    """Return what a full run under a fix changed, broken cases by name."""
    fixed, broken = len(change.fixed), len(change.broken)
    told = "" if change.p is None else f" (mid-p {chance(change.p)})"
    if change.p is None:
        told = f" (no difference detected, {fixed + broken} discordant)"
    which = f": {names(change.broken)}" if broken else ""
    return f"confirmed: with {fix} {cases(fixed)} fixed, {broken} broken{told}{which}."


_FIX_OF: Mapping[Arm, str] = {
    "E": "the passage",
    "S": "the instruction",
    "X": "the instruction and 3 examples",
}


def confirmation_text(confirmation: Confirmation) -> str:
    """Return what a full run under the advised fix changed."""
    change = confirmation.change
    text = confirmed_text(_FIX_OF.get(confirmation.arm, confirmation.arm), change)
    asked = change.failing + change.passing
    return f"{text} ({cases(asked)} of {confirmation.variant} asked so)"
