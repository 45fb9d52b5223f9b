"""What checks found in answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from .asked import Answer
from .terms import DIMENSIONS, Dimension, Json, JsonObject, objects

NOT_EXPOSED = ":not_exposed"
"""Ends the code of a check that an answer could not be held to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A check's result.  `passed` is None when the check could not decide.

    `code` is machine-readable (`number:missing`), None when passed; `reason`
    shows what was found.  `judged` says that a model gave it: it can fail a case,
    but never decides a cause.
    """

    check: str
    passed: bool | None
    code: str | None = None
    reason: str = ""
    judged: bool = False

    @property
    def exposed(self) -> bool:
        """Whether the answer could be held to the check; else it counts nowhere."""
        return self.passed is not None or not (self.code or "").endswith(NOT_EXPOSED)

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        judged: dict[str, Json] = {"judged": True} if self.judged else {}
        return {
            "check": self.check,
            "passed": self.passed,
            "code": self.code,
            "reason": self.reason,
            **judged,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Verdict:
        """Return the record that `to_dict` described."""
        return cls(
            check=str(data["check"]),
            passed=cast("bool | None", data["passed"]),
            code=cast("str | None", data.get("code")),
            reason=str(data.get("reason", "")),
            judged=bool(data.get("judged", False)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The verdicts on one answer, by dimension."""

    facts: tuple[Verdict, ...] = ()
    form: tuple[Verdict, ...] = ()
    limits: tuple[Verdict, ...] = ()

    def passed(self, dimension: Dimension) -> bool | None:
        """Return whether all checks of a dimension passed; None without a verdict.

        One failed check fails the dimension.  Otherwise an undecided one makes
        it undecided, as does having no check at all.  A check that the answer
        was not exposed to is left out, and so is a judge: causes rest on what can
        be seen.
        """
        verdicts: tuple[Verdict, ...] = getattr(self, dimension)
        results = [one.passed for one in verdicts if one.exposed and not one.judged]
        if False in results:
            return False
        return None if None in results or not results else True

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """All verdicts: facts, then form, then limits."""
        return self.facts + self.form + self.limits

    @property
    def all_passed(self) -> bool | None:
        """Whether everything passed; None if nothing failed but some is undecided."""
        results = [verdict.passed for verdict in self.verdicts if verdict.exposed]
        if False in results:
            return False
        return None if None in results or not results else True

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            dimension: [verdict.to_dict() for verdict in getattr(self, dimension)]
            for dimension in DIMENSIONS
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Grade:
        """Return the record that `to_dict` described."""
        return cls(
            **{
                dimension: tuple(map(Verdict.from_dict, objects(data, dimension)))
                for dimension in DIMENSIONS
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One repetition of case x variant: an answer with its grade, or an error."""

    answer: Answer | None = None
    grade: Grade = field(default_factory=Grade)
    error: str | None = None

    def to_dict(self) -> dict[str, Json]:
        """Return the flat JSON-ready dict that `report.json` shows."""
        answer: dict[str, Json] = {}
        if self.answer is not None:
            answer = {**self.answer.to_dict(), "stored": self.answer.stored}
        return {**answer, **self.grade.to_dict(), "error": self.error}

    @classmethod
    def from_dict(cls, data: JsonObject) -> Trial:
        """Return the record that `to_dict` described."""
        answered = "text" in data
        return cls(
            answer=Answer.from_dict(data, stored=bool(data.get("stored")))
            if answered
            else None,
            grade=Grade.from_dict(data),
            error=cast("str | None", data.get("error")),
        )
