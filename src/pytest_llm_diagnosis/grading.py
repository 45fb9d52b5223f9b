"""From an answer to its grade: every check's verdict, by dimension."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from .checks.inquiring import Inquiring, Reply
from .checks.protocol import Check
from .checks.showing import shown
from .records import Answer, Dimension, Grade, Verdict

RAISED = "check:raised"


Replies: TypeAlias = Mapping[int, Sequence[Reply]]
"""What the models of asking checks said, by the place of the check."""


def grade(answer: Answer, checks: Iterable[Check], replies: Replies = {}) -> Grade:  # noqa: B006 - never changed
    """Return the verdicts of bound checks on one answer, in their order.

    A check that asks a model decides by its `replies`.  A check that raises is
    ungraded (`passed` is None, code `check:raised`): its fault is not the model's.
    """
    verdicts: dict[Dimension, list[Verdict]] = {"facts": [], "form": [], "limits": []}
    for place, check in enumerate(checks):
        said = replies.get(place)
        verdicts[check.spec.dimension].append(_verdict(answer, check, said))
    return Grade(
        facts=tuple(verdicts["facts"]),
        form=tuple(verdicts["form"]),
        limits=tuple(verdicts["limits"]),
    )


def _verdict(answer: Answer, check: Check, replies: Sequence[Reply] | None) -> Verdict:
    try:
        if replies is not None and isinstance(check, Inquiring):
            return check.decide(answer, replies)
        return check.grade(answer)
    except Exception as error:  # noqa: BLE001 (a check may be a user's own code)
        reason = f"the check raised {type(error).__name__}: {shown(str(error))}"
        return Verdict(check=check.spec.name, passed=None, code=RAISED, reason=reason)
