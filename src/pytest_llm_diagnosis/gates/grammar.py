"""The grammar of a gate: `rag: knowledge >= 0.9 and behavior.low >= 0.8`.

    gate       : scoped
    scoped     : [NAME ("," NAME)* ":"] either
    either     : both ("or" both)*
    both       : negated ("and" negated)*
    negated    : "not" negated | "(" scoped ")" | comparison | regression
    comparison : RATE OPERATOR (NUMBER | NUMBER "%")
               | COUNT OPERATOR NUMBER
               | "verdict" ("==" | "!=") KIND
    regression : ["strict"] "no-regression" ["(" NUMBER ["%"] ")"]

    RATE       : ("knowledge" | "behavior") [".low" | ".high"]
    COUNT      : "cases" | "failed" | "errors" | "skipped"
    OPERATOR   : ">=" | ">" | "<=" | "<" | "==" | "!="
    KIND       : "knowledge" | "behavior" | "both" | "neither_yet" | "unstable"
               | "too_little_data" | "withheld" | "no_failures" | "unsettled"
    NAME       : a variant; quoted where it is no word, as in "my model": ...

A rate is passed / graded cases of a mark, from 0 to 1; `.low` and `.high` are the
ends of its 95% interval.  A side that is only leaned to is the kind `unsettled`.
Names before a colon say of which variants all up to the closing parenthesis, or
to the end, must hold; without them it must hold of each variant that ran.
`no-regression` holds unless the run is shown to be worse than its baseline;
`strict` wants it shown that it is not.  Its number is the margin.

The semantics:

- a value that is undefined (no case of the mark was graded, no such variant, no
  case in common with the baseline) fails the gate, whatever stands around it;
- all else is as in Python, but that every comparison is made, so that all can be
  told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, NoReturn, cast

from pytest_llm_diagnosis.errors import DiagnosisError, valid_choices
from pytest_llm_diagnosis.records import Mark

from .terms import (
    COUNTS,
    OPERATORS,
    RATES,
    VERDICTS,
    Count,
    CountTerm,
    Ends,
    Joined,
    Leaf,
    Negated,
    RateTerm,
    RegressionTerm,
    Scoped,
    Term,
    VerdictTerm,
)

REGRESSION = "no-regression"
_QUANTITIES = (*RATES, *COUNTS, "verdict", REGRESSION)
_RESERVED = ("and", "or", "not", "strict")
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>\d+(?:\.\d+)?|\.\d+)
      | (?P<word>[^\W\d](?:[\w.-]*\w)?)
      | (?P<quoted>"[^"]*"|'[^']*')
      | (?P<sign>[<>=!]=|[<>(),:%])""",
    re.VERBOSE,
)
_DEEPEST = 40


class GateError(DiagnosisError):
    """A gate cannot be read: at `column` (from 1) stands what it does not expect."""

    def __init__(self, text: str, column: int, finding: str, hint: str) -> None:
        self.column = column
        self.finding = finding
        self.hint = hint
        shown = "".join(c if c.isprintable() else " " for c in text)
        super().__init__(
            f"{shown!r}, column {column}: {finding}\n"
            f"  {shown}\n  {' ' * (column - 1)}^\n  {hint}"
        )


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


def parse(text: str) -> Term:
    """Return what a gate says; raises `GateError`."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._read())
        self._at = 0
        self._depth = 0

    def parse(self) -> Term:
        term = self._scoped()
        if self._now.kind != "end":
            self._refuse("'and', 'or' or the end")
        return term

    # -- tokens ----------------------------------------------------------

    def _read(self) -> Iterator[_Token]:
        at = 0
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if match is None:
                self._fail(
                    at, f"unexpected {self._text[at]!r}", _hint_of(self._text[at])
                )
            if match.lastgroup != "space":
                yield _Token(str(match.lastgroup), match[0], at)
            at = match.end()
        yield _Token("end", "", len(self._text))

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._now
        self._at += token.kind != "end"
        return token

    def _takes(self, *texts: str) -> bool:
        if self._now.kind == "quoted" or self._now.text not in texts:
            return False
        self._next()
        return True

    def _refuse(self, expected: str) -> NoReturn:
        token = self._now
        found = "the end" if token.kind == "end" else repr(token.text)
        self._fail(token.start, f"expected {expected}, found {found}", _EXAMPLE)

    def _fail(self, start: int, finding: str, hint: str) -> NoReturn:
        raise GateError(self._text, start + 1, finding, hint)

    # -- the rules -------------------------------------------------------

    def _scoped(self) -> Term:
        names = self._names()
        term = self._either()
        return Scoped(variants=names, part=term) if names else term

    def _names(self) -> tuple[str, ...]:
        """Return the names before a colon, nothing where none follows."""
        names, at = [], self._at
        while self._tokens[at].kind in {"word", "quoted"}:
            token = self._tokens[at]
            names.append(token.text[1:-1] if token.kind == "quoted" else token.text)
            if self._tokens[at + 1].text == ":":
                self._at = at + 2
                return tuple(dict.fromkeys(names))
            if self._tokens[at + 1].text != ",":
                break
            at += 2
        return ()

    def _either(self) -> Term:
        return self._joined("or", self._both)

    def _both(self) -> Term:
        return self._joined("and", self._negated)

    def _joined(self, word: Literal["and", "or"], rule: Callable[[], Term]) -> Term:
        parts = [rule()]
        while self._takes(word):
            parts.append(rule())
        return parts[0] if len(parts) == 1 else Joined(word=word, parts=tuple(parts))

    def _negated(self) -> Term:
        start = self._now.start
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail(start, "nested too deeply", f"nest at most {_DEEPEST} deep")
        if self._takes("not"):
            term: Term = Negated(part=self._negated())
        elif self._takes("("):
            term = self._scoped()
            if not self._takes(")"):
                self._refuse("')', 'and' or 'or'")
        else:
            term = self._leaf()
        self._depth -= 1
        return term

    def _leaf(self) -> Leaf:
        start = self._now
        if self._takes("strict"):
            if not self._takes(REGRESSION):
                self._refuse(f"'{REGRESSION}' after 'strict'")
            return self._regression(start, strict=True)
        self._check_quantity(start)
        self._next()
        if start.text == REGRESSION:
            return self._regression(start, strict=False)
        if start.text == "verdict":
            return self._verdict(start)
        return self._count(start) if start.text in COUNTS else self._rate(start)

    def _check_quantity(self, token: _Token) -> None:
        if token.kind != "word" or token.text in _RESERVED:
            self._refuse("a comparison")
        if token.text in _QUANTITIES:
            return
        if self._tokens[self._at + 1].text in {":", ","}:
            finding = "variants are named at the start or after a parenthesis"
            self._fail(token.start, finding, f"write ({token.text}: ...)")
        hint = valid_choices(token.text, _QUANTITIES)
        self._fail(token.start, f"unknown quantity {token.text!r}", hint)

    def _verdict(self, start: _Token) -> VerdictTerm:
        sign, kind = self._operator(equality=True), self._kind()
        return VerdictTerm(text=self._since(start), operator=sign, kind=kind)

    def _count(self, start: _Token) -> CountTerm:
        sign, bound = self._operator(), self._number("a number of cases")
        count = cast("Count", start.text)
        text = self._since(start)
        return CountTerm(text=text, count=count, operator=sign, bound=bound)

    def _rate(self, start: _Token) -> RateTerm:
        sign, bound = self._operator(), self._share(f"a rate of {start.text}")
        mark, _, end = start.text.partition(".")
        return RateTerm(
            text=self._since(start),
            mark=cast("Mark", mark),
            end=cast("Ends", end),
            operator=sign,
            bound=bound,
        )

    def _regression(self, start: _Token, *, strict: bool) -> RegressionTerm:
        margin = None
        if self._takes("("):
            margin = self._share("the margin")
            if not self._takes(")"):
                self._refuse("')' after the margin")
        return RegressionTerm(text=self._since(start), strict=strict, margin=margin)

    def _operator(self, *, equality: bool = False) -> str:
        token = self._now
        if token.text not in OPERATORS:
            self._refuse(f"one of {', '.join(OPERATORS)}")
        if equality and token.text not in {"==", "!="}:
            finding = f"a verdict has no order, so {token.text!r} cannot be asked"
            self._fail(token.start, finding, "compare it with == or !=")
        return self._next().text

    def _kind(self) -> str:
        token = self._now
        kind = token.text.lower().replace("-", "_")
        if token.kind != "word" or kind not in VERDICTS:
            hint = valid_choices(kind, VERDICTS)
            self._fail(token.start, f"unknown verdict {token.text!r}", hint)
        self._next()
        return kind

    def _number(self, what: str) -> float:
        if self._now.kind != "number":
            self._refuse(what)
        return float(self._next().text)

    def _share(self, what: str) -> float:
        start = self._now.start
        number = self._number(f"{what}, such as 0.9 or 90%")
        share = number / 100 if self._takes("%") else number
        if share > 1:
            finding = f"{what} lies between 0 and 1"
            self._fail(start, finding, "write 0.9 or 90%")
        return share

    def _since(self, start: _Token) -> str:
        last = self._tokens[self._at - 1]
        return self._text[start.start : last.start + len(last.text)]


_EXAMPLE = 'as in "rag: knowledge >= 0.9 and behavior.low >= 80%"'


def _hint_of(character: str) -> str:
    if character == "=":
        return "write == to ask whether two values are equal"
    if character in "&|":
        return "write 'and' or 'or'"
    if character in "\"'":
        return "the quotation mark has no partner"
    return _EXAMPLE
