"""What tells two variants apart, for those who compare their results."""

from __future__ import annotations

from pytest_llm_diagnosis.records import Variant

_GIVEN = (
    *("call", "headers", "params"),
    *("script", "system", "examples", "retrieve", "context"),
)


def differences(one: Variant, other: Variant) -> tuple[str, ...]:
    """Return the names of what differs, such as `model`, `params`, `retrieve`.

    Names, caps and revisions change nothing that a model sees.
    """
    found = [name for name in _GIVEN if getattr(one, name) != getattr(other, name)]
    if one.written and other.written:
        ours, theirs = one.written, other.written
        if (ours.model, ours.api_base) != (theirs.model, theirs.api_base):
            found.append("model")
        if ours.params != theirs.params:
            found.append("params")
    elif one.written != other.written:
        found.append("model")
    return tuple(found)
