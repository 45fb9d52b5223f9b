"""From an answer to its grade: every check's verdict, by dimension."""

from __future__ import annotations

from collections.abc import Iterable

from .checks.protocol import Check
from .checks.showing import shown
from .records import Answer, Dimension, Grade, Verdict

RAISED = "check:raised"


def grade(answer: Answer, checks: Iterable[Check]) -> Grade:
    """Return the verdicts of bound checks on one answer, in their order.

    A check that raises is ungraded (`passed` is None, code `check:raised`): its
    fault is not the model's.
    """
    verdicts: dict[Dimension, list[Verdict]] = {"facts": [], "form": [], "limits": []}
    for check in checks:
        verdicts[check.spec.dimension].append(_verdict(answer, check))
    return Grade(
        facts=tuple(verdicts["facts"]),
        form=tuple(verdicts["form"]),
        limits=tuple(verdicts["limits"]),
    )


def _verdict(answer: Answer, check: Check) -> Verdict:
    try:
        return check.grade(answer)
    except Exception as error:  # noqa: BLE001 (a check may be a user's own code)
        reason = f"the check raised {type(error).__name__}: {shown(str(error))}"
        return Verdict(check=check.spec.name, passed=None, code=RAISED, reason=reason)
