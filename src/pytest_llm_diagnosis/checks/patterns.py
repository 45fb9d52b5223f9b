"""Checks by regular expression, under a time limit: matches, not_matches.

Patterns are those of the `regex` library.  Under `facts` they are searched in
every text the answer states, under `form` in its text alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .normalise import exact, is_silent, said
from .protocol import BoundCheck, CheckType, Example
from .showing import shown, shown_answer

if TYPE_CHECKING:
    from regex import Match, Pattern

SECONDS = 0.5

Compile = Callable[[str, bool], "Pattern[str] | str"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches(BoundCheck):
    """The pattern is found; with `whole` it covers all of the answer."""

    pattern: Pattern[str]
    whole: bool

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `matches:none` or `matches:empty`.

        A pattern out of time is undecided, `matches:timeout`.
        """
        try:
            found = self.search(answer)
        except TimeoutError:
            return self.out_of_time()
        if found is not None:
            return self.passed()
        code = "empty" if is_silent(answer) else "none"
        reason = f"expected {self.shown_pattern()}, found {shown_answer(answer)}"
        return self.failed(f"matches:{code}", reason)

    def describe(self) -> str:
        """Ask for the pattern when it is form."""
        if self.seeks_facts:
            return ""
        part = "All of your answer" if self.whole else "Your answer"
        return f"{part} must match the regular expression {self.pattern.pattern}"

    def search(self, answer: Answer) -> Match[str] | None:
        """Return the first match.  Raises TimeoutError after `SECONDS`."""
        pieces = said(answer) if self.seeks_facts else (answer.text,)
        look = self.pattern.fullmatch if self.whole else self.pattern.search
        texts = (
            exact(piece).strip() if self.whole else exact(piece) for piece in pieces
        )
        tries = (look(text, timeout=SECONDS) for text in texts)
        return next((found for found in tries if found), None)

    def shown_pattern(self) -> str:
        """Return the pattern for a reason."""
        return f"a match of {shown(self.pattern.pattern)}"

    def out_of_time(self) -> Verdict:
        """Return the verdict of a pattern that took too long."""
        return self.undecided(
            f"{self.spec.name}:timeout",
            f"{self.shown_pattern()} took over {SECONDS:g} s to search",
        )


class NotMatches(Matches):
    """The pattern is not found."""

    __slots__ = ()

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `not_matches:present`; an empty answer passes most patterns."""
        try:
            found = self.search(answer)
        except TimeoutError:
            return self.out_of_time()
        if found is None:
            return self.passed()
        reason = f"expected no {self.shown_pattern()[2:]}, found {shown(found.group())}"
        return self.failed("not_matches:present", reason)

    def describe(self) -> str:
        """Forbid the pattern when it is form."""
        if self.seeks_facts:
            return ""
        pattern = self.pattern.pattern
        return f"Write nothing that matches the regular expression {pattern}"


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module; they share one memory of patterns."""
    compiled = functools.lru_cache(maxsize=None)(compile_pattern)
    yes, no = Answer(text="Order A-1724 is ready."), Answer(text="It is ready.")
    order = r"\b[A-Z]-\d{4}\b"
    found = "The regular expression is found in the answer."
    absent = "The regular expression is found nowhere in the answer."
    return (
        _type(
            "matches",
            found,
            functools.partial(_bind, Matches, compiled),
            Example(params=order, passing=yes, failing=no, code="matches:none"),
        ),
        _type(
            "not_matches",
            absent,
            functools.partial(_bind, NotMatches, compiled),
            Example(params=order, passing=no, failing=yes, code="not_matches:present"),
        ),
    )


def compile_pattern(
    pattern: str,
    ignore_case: bool,  # noqa: FBT001 (the key of a cache)
) -> Pattern[str] | str:
    """Return the compiled pattern, or what is wrong with it."""
    import regex

    try:
        return regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
    except (regex.error, OverflowError, RecursionError) as error:
        return str(error)


def _bind(kind: type[Matches], compiled: Compile, spec: CheckSpec) -> Matches:
    params = read.mapping(spec, "pattern")
    pattern = read.text(spec, params.get("pattern"), "pattern")
    ready = compiled(pattern, read.flag(spec, params, "ignore_case", default=False))
    if isinstance(ready, str):
        raise read.wrong(spec, f"broken regular expression {shown(pattern)}: {ready}")
    whole = read.flag(spec, params, "whole", default=False)
    return kind(spec=spec, pattern=ready, whole=whole)


def _type(
    name: str, summary: str, bind: Callable[[CheckSpec], Matches], example: Example
) -> CheckType:
    keys: dict[str, Json] = {
        "pattern": read.described(read.TEXT, summary),
        "ignore_case": read.described(
            read.FLAG, "Whether capitals do not matter; false by default."
        ),
        "whole": read.described(
            read.FLAG, "Whether it must cover the whole answer; false by default."
        ),
    }
    longhand = read.options("The expression, with options.", keys, ["pattern"])
    silent = (f"{name}:empty",) if name == "matches" else ()
    codes = (example.code, *silent, f"{name}:timeout")
    return CheckType(
        name=name,
        summary=summary,
        parameters={"description": summary, "anyOf": [read.TEXT, longhand]},
        bind=bind,
        example=example,
        codes=codes,
    )
