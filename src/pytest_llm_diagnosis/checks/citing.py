"""The check for references to the shown passages: cites.

A passage is cited by its id (`docs/returns.md#unworn-goods`, its file's name or
its section alone), by its number in brackets (`[2]`), or by a quote of four
words or more.  Where no passage was shown, nothing can be cited: the answer is
not exposed to the check, which then counts for neither side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from pytest_llm_diagnosis.passage_ids import section_of
from pytest_llm_diagnosis.records import Answer, CheckSpec, Context, Json, Verdict

from . import parameters as read
from .normalise import fold, said
from .protocol import BoundCheck, CheckType, Example
from .showing import shown_all, shown_answer

QUOTED_WORDS = 4
"""A quote of fewer words may be anybody's."""
# No answer cites more often on purpose.
MAX_CITATIONS = 5_000

_BRACKETS = re.compile(r"[\[\u3010]\^?([^\[\]\u3010\u3011\n]{1,200})[\]\u3011]")
_PART = re.compile(r"\s*[,;]\s*")
_NUMBER = re.compile(
    r"(?:passage |source |document |doc |ref\.? |context )?#?(\d{1,3})", re.IGNORECASE
)
_ID = re.compile(r"(?=\S*[./#])[\w./#:@-]{3,}")
_QUOTE = re.compile(
    '["\u201c\u201e\u00ab]([^"\u201c\u201d\u201e\u00ab\u00bb]{1,2000})["\u201d\u201c\u00bb]'
)


class Cited(NamedTuple):
    """What an answer refers to, and the passages it means; none if it is made up."""

    written: str
    passages: frozenset[int]
    is_quote: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cites(BoundCheck):
    """The answer cites shown passages and none that was not shown.

    `ids` must all be cited.  With `quotes` only a quote counts.
    """

    ids: tuple[str, ...]
    quotes: bool

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `cites:` and none, unknown, misquoted, missing or empty.

        Undecided, `cites:not_exposed`, where no passage was shown.
        """
        if not answer.contexts:
            return self.not_exposed("no passage was shown that could be cited")
        text = "\n".join(said(answer))
        if not text.strip():
            return self.failed("cites:empty", f"expected {self}, found an empty answer")
        cited = list(citations(text, answer.contexts))
        wrong = [each for each in cited if not each.passages and self._counts(each)]
        if wrong:
            return self._made_up(wrong, answer.contexts)
        right = [each for each in cited if each.passages and self._counts(each)]
        if not right:
            found = f"found no citation in {shown_answer(answer)}"
            return self.failed("cites:none", f"expected {self}, {found}")
        return self._wanted(right, answer.contexts)

    def describe(self) -> str:
        """Ask for citations."""
        if self.quotes:
            return "Quote word for word, in quotation marks, the passages you use."
        return "Cite each passage you use by its id or number in square brackets."

    def __str__(self) -> str:
        """Return what is expected, in words."""
        what = "a quote" if self.quotes else "a citation"
        of = f"of {shown_all(self.ids)}" if self.ids else "of a shown passage"
        return f"{what} {of}"

    def _counts(self, cited: Cited) -> bool:
        return (
            cited.is_quote
            if self.quotes
            else bool(cited.passages) or not cited.is_quote
        )

    def _made_up(self, wrong: Sequence[Cited], contexts: Sequence[Context]) -> Verdict:
        code = "cites:misquoted" if wrong[0].is_quote else "cites:unknown"
        found = shown_all([each.written for each in wrong])
        listed = shown_all([context.source or "(no id)" for context in contexts])
        return self.failed(code, f"expected {self}, found {found}; shown were {listed}")

    def _wanted(self, right: Sequence[Cited], contexts: Sequence[Context]) -> Verdict:
        told = {contexts[number].source for cited in right for number in cited.passages}
        # A piece of a section stands for its section.
        known = told | {section_of(source) for source in told}
        missing = [each for each in self.ids if each not in known]
        if not missing:
            return self.passed()
        found = shown_all(sorted(told))
        reason = f"expected {self}, found {found}, not {shown_all(missing)}"
        return self.failed("cites:missing", reason)


def citations(text: str, contexts: Sequence[Context]) -> Iterator[Cited]:
    """Yield what a text refers to: ids and numbers in brackets, bare ids, quotes."""
    names = _names(contexts)
    for found in islice(_BRACKETS.finditer(text), MAX_CITATIONS):
        for part in _PART.split(found[1]):
            yield from _bracketed(part.strip(), names, len(contexts))
    folded = fold(text)
    for name, passages in names.items():
        if _ID.fullmatch(name) and name in folded:
            yield Cited(name, passages)
    shown = [fold(context.text) for context in contexts]
    for found in islice(_QUOTE.finditer(text), MAX_CITATIONS):
        quote = fold(found[1]).strip(" .,;:!?")
        if len(quote.split()) >= QUOTED_WORDS:
            holding = (at for at, passage in enumerate(shown) if quote in passage)
            yield Cited(found[1], frozenset(holding), is_quote=True)


def _bracketed(
    part: str, names: dict[str, frozenset[int]], count: int
) -> Iterator[Cited]:
    number = _NUMBER.fullmatch(part)
    if fold(part) in names:
        yield Cited(part, names[fold(part)])
    elif number:
        at = int(number[1]) - 1
        yield Cited(part, frozenset([at] if 0 <= at < count else []))
    elif _ID.fullmatch(part):
        yield Cited(part, frozenset())


def _names(contexts: Sequence[Context]) -> dict[str, frozenset[int]]:
    """Return what each passage may be called: its id, its file, its section."""
    named: dict[str, set[int]] = {}
    for at, context in enumerate(contexts):
        whole = section_of(context.source)
        path, _, section = whole.partition("#")
        piece = context.source.partition("#")[2]
        parts = {path, path.rpartition("/")[2], section, piece}
        for name in {context.source, whole, *parts} - {""}:
            named.setdefault(fold(name), set()).add(at)
    return {name: frozenset(passages) for name, passages in named.items()}


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = (
        "The answer cites passages that were shown to it; counts only where some were."
    )
    keys: dict[str, Json] = {
        "ids": read.described(
            read.TEXT_OR_TEXTS, "Passages that must be cited, by id: path#section."
        ),
        "quotes": read.described(
            read.FLAG, "Whether only a quote counts as a citation; false by default."
        ),
    }
    longhand = read.options("With options.", keys)
    shown = (
        Context(text="Unworn boots go back in 45 days.", source="returns.md#boots"),
    )
    example = Example(
        params=None,
        passing=Answer(text="You have 45 days [returns.md#boots].", contexts=shown),
        failing=Answer(text="You have 45 days [warranty.md].", contexts=shown),
        code="cites:unknown",
    )
    return (
        CheckType(
            name="cites",
            summary=summary,
            parameters={"description": summary, "anyOf": [{"type": "null"}, longhand]},
            bind=_bind,
            codes=(
                "cites:not_exposed",
                "cites:empty",
                "cites:none",
                "cites:unknown",
                "cites:misquoted",
                "cites:missing",
            ),
            example=example,
        ),
    )


def _bind(spec: CheckSpec) -> Cites:
    params = {} if spec.params is None else read.mapping(spec, "ids")
    told = params.get("ids")
    ids = () if told is None else read.texts(spec, told, "ids")
    quotes = read.flag(spec, params, "quotes", default=False)
    return Cites(spec=spec, ids=ids, quotes=quotes)
