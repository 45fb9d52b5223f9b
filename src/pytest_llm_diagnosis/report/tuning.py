"""Whether a fine-tune is to be had where a model is served, in one sentence."""

from __future__ import annotations

from pytest_llm_diagnosis.diagnosis import Tuning, tuning_of
from pytest_llm_diagnosis.records import Given

_REMAIN = "open weights remain"


def tuning_text(given: Given | None) -> str:
    """Return what the variant's provider allows, with its date; empty if unknown.

    Nothing is said of a variant that names no model, such as an application.
    """
    if given is None or not given.model:
        return ""
    known = tuning_of(given.provider)
    if known is None:
        told = "whether its provider tunes models is not in our table"
        return f"{given.model}: {told}; {_REMAIN}."
    return f"{given.model}: {_allowed(known)}."


def _allowed(known: Tuning) -> str:
    when = f"{'read' if known.undated else 'as of'} {known.date}"
    detail = f", {known.detail}" if known.detail else ""
    match known.hosted:
        case "own_weights":
            told = "where its weights are open, they are yours to tune"
            return f"served by {known.name}; {told}"
        case "open":
            how = f"{', '.join(known.methods)}; " if known.methods else ""
            return f"{known.name} tunes some of its models ({how}{when}){detail}"
        case "closed_to_new":
            told = f"hosted fine-tuning at {known.name} is closed to new users"
            return f"{told} ({when}){detail}; {_REMAIN}"
        case "deprecated":
            told = f"{known.name} calls its hosted fine-tuning deprecated"
            return f"{told} ({when}){detail}; {_REMAIN}"
        case "none":
            return f"{known.name} tunes no models ({when}){detail}; {_REMAIN}"
        case "unknown":
            told = f"whether {known.name} tunes models is not known"
            return f"{told} ({when}){detail}; {_REMAIN}"
