"""The check for wording that may differ a little: fuzzy."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .normalise import fold, is_silent, said
from .protocol import BoundCheck, CheckType, Example
from .showing import shown, shown_answer

THRESHOLD = 85.0
# The best part is sought by sliding a window over the answer: the time is the
# product of both lengths, so more than this of an answer is not searched.
SEARCHED = 200_000

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzy(BoundCheck):
    """Some part of the answer resembles the text closely enough.

    Similarity is the normalised indel similarity of folded text in percent, of
    the best part of the answer, or of all of it if `whole`.  Digits must agree
    exactly, since 1987 and 1989 resemble each other and differ.
    """

    text: str
    threshold: float
    whole: bool

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `fuzzy:below`, `fuzzy:digits` or `fuzzy:empty`."""
        if is_silent(answer):
            return self.failed(
                "fuzzy:empty", f"expected about {shown(self.text)}, found nothing"
            )
        spoken = fold("\n".join(said(answer)))
        wanted = fold(self.text)
        missing = set(_DIGITS.findall(wanted)) - set(_DIGITS.findall(spoken))
        score = _similarity(wanted, spoken, whole=self.whole)
        found = f"expected about {shown(self.text)}, found {shown_answer(answer)}"
        if score < self.threshold:
            return self.failed(
                "fuzzy:below", f"{found}: {score:.0f}% alike, not {self.threshold:g}%"
            )
        if missing:
            digits = ", ".join(sorted(missing))
            return self.failed("fuzzy:digits", f"{found}: {digits} is not in it")
        return self.passed()

    def describe(self) -> str:
        """Ask for the gist when it is form."""
        return "" if self.seeks_facts else f'Say, in about these words: "{self.text}".'

    def gold(self) -> tuple[str, ...]:
        """Return the text when it is a fact."""
        return (self.text,) if self.seeks_facts else ()


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = "Some part of the answer resembles this text; digits agree exactly."
    keys: dict[str, Json] = {
        "text": read.described(read.TEXT, summary),
        "threshold": {
            "description": f"How alike, in percent; {THRESHOLD:g} by default.",
            "type": "number",
            "minimum": 0,
            "maximum": 100,
        },
        "whole": read.described(
            read.FLAG, "Whether the whole answer must resemble it; false by default."
        ),
    }
    longhand = read.options("The text, with options.", keys, ["text"])
    example = Example(
        params="return the boots within 45 days",
        passing=Answer(text="You can return boots within 45 days."),
        failing=Answer(text="Boots cannot be returned."),
        code="fuzzy:below",
    )
    return (
        CheckType(
            name="fuzzy",
            summary=summary,
            parameters={"description": summary, "anyOf": [read.TEXT, longhand]},
            bind=_bind,
            example=example,
            codes=("fuzzy:below", "fuzzy:digits", "fuzzy:empty"),
        ),
    )


def _bind(spec: CheckSpec) -> Fuzzy:
    params = read.mapping(spec, "text")
    threshold = read.quantity(spec, params.get("threshold", THRESHOLD), "threshold")
    bound = Fuzzy(
        spec=spec,
        text=read.text(spec, params.get("text")),
        threshold=threshold,
        whole=read.flag(spec, params, "whole", default=False),
    )
    if threshold > 100:  # noqa: PLR2004 (a percentage)
        raise read.wrong(spec, f"threshold must be 0 to 100 percent, not {threshold:g}")
    if 0 < threshold <= 1:
        # Any text is that much alike: it was meant as a share.
        finding = f"threshold is in percent, so {threshold:g} would pass anything"
        raise read.wrong(spec, finding, f"in percent; write {100 * threshold:g}")
    if not fold(bound.text):
        raise read.wrong(spec, "the text holds nothing that could be seen")
    return bound


def _similarity(wanted: str, spoken: str, *, whole: bool) -> float:
    from rapidfuzz import fuzz

    # partial_ratio slides the shorter text over the longer: of an answer that
    # is shorter than the text it would say how much of the *answer* is right.
    if whole or len(spoken) < len(wanted):
        return fuzz.ratio(wanted, spoken)
    return fuzz.partial_ratio(wanted, spoken[:SEARCHED])
