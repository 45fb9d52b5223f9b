"""The check that an answer makes nothing up: grounded.

Every number (in words only from thirteen on: "two ways" counts what the answer
itself lists) and every name (words with capitals, where no sentence begins) must
occur in the passages that were shown.  Where none was shown, the
answer is not exposed to the check, which then counts for neither side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from pytest_llm_diagnosis.passage_ids import section_of
from pytest_llm_diagnosis.records import Answer, CheckSpec, Context, Json, Verdict

from . import parameters as read
from .names import Word, names, parsed, words_of
from .normalise import said, same_shapes, without_emphasis
from .numerals import numerals, prepared
from .protocol import BoundCheck, CheckType, Example
from .showing import shown_all, shown_answer

# No answer holds more on purpose; what stands behind is not read.
CONSIDERED = 50_000
MAX_NAMES = 1_000
SMALL = 12
"""Numbers up to here are looked up only where they stand in digits."""

_CITATION = re.compile(r"[\[\u3010]\^?\d{1,3}(?:, ?\d{1,3})*[\]\u3011]")
_DIGITS = re.compile(r"\d+")
# A full stop ends a sentence, save behind an initial or a title.
_CAPITAL = r"(?:(?:[A-Z]|Dr|Mr|Mrs|Ms|St|Prof)\.|[A-Z\u00c0-\u00de][\w'-]*)"
_NAME = re.compile(
    rf"(?<![\w'-]){_CAPITAL}(?: (?:(?:of|the|and|de|von|van|&) )*{_CAPITAL})*"
)
_BEGINNING = re.compile(r"(?:^|[.!?:;]['\")\]]*\s|\n\s*(?:[-*+\u2022]|\d+[.)])?)\s*$")
_LOOK_BACK = 12
_NO_NAME_WORDS = (
    "i i'm i'd i'll i've a an the this that these those it its if in on at for to no "
    "not yes ok okay and but or so please thanks monday tuesday wednesday thursday "
    "friday saturday sunday january february march april may june july august "
    "september october november december am pm ai id url faq"
)
_NO_NAMES = frozenset(_NO_NAME_WORDS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounded(BoundCheck):
    """All numbers and names of the answer occur in the passages or in `allowed`."""

    numbers: bool
    names: bool
    allowed: tuple[str, ...]

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `grounded:` and numbers, names, both or empty.

        Undecided, `grounded:not_exposed`, where no passage was shown.
        """
        if not answer.contexts:
            return self.not_exposed("no passage was shown to compare with")
        text = "\n".join(said(answer))[:CONSIDERED]
        if not text.strip():
            reason = "expected numbers and names of the passages, found an empty answer"
            return self.failed("grounded:empty", reason)
        # Which piece of its section a passage is tells no number.
        shown = [f"{section_of(one.source)}\n{one.text}" for one in answer.contexts]
        known = "\n".join([*shown, *self.allowed])
        numbers = _unknown_numbers(text, known) if self.numbers else []
        made_up = _unknown_names(text, known) if self.names else []
        if not numbers and not made_up:
            return self.passed()
        code = "both" if numbers and made_up else ("numbers" if numbers else "names")
        found = f"found {shown_all([*numbers, *made_up])} in {shown_answer(answer)}"
        reason = f"expected only what the passages hold, {found}"
        return self.failed(f"grounded:{code}", reason)

    def describe(self) -> str:
        """Ask for what the passages hold."""
        asked = {"numbers": self.numbers, "names": self.names}
        what = " and ".join(word for word, wanted in asked.items() if wanted)
        return f"Use only {what} that stand in the information given."


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = (
        "Every number and name of the answer stands in the passages shown to it; "
        "counts only where some were."
    )
    keys: dict[str, Json] = {
        "numbers": read.described(
            read.FLAG, "Whether numbers are looked up; true by default."
        ),
        "names": read.described(
            read.FLAG, "Whether names are looked up; true by default."
        ),
        "allowed": read.described(
            read.TEXT_OR_TEXTS, "Other texts to find them in, such as the question."
        ),
    }
    longhand = read.options("With options.", keys)
    shown = (Context(text="Northwind takes unworn boots back within 45 days."),)
    example = Example(
        params=None,
        passing=Answer(text="At Northwind you have 45 days.", contexts=shown),
        failing=Answer(text="At Northwind you have 60 days.", contexts=shown),
        code="grounded:numbers",
    )
    return (
        CheckType(
            name="grounded",
            summary=summary,
            parameters={"description": summary, "anyOf": [{"type": "null"}, longhand]},
            bind=_bind,
            codes=(
                "grounded:not_exposed",
                "grounded:empty",
                "grounded:numbers",
                "grounded:names",
                "grounded:both",
            ),
            example=example,
        ),
    )


def _bind(spec: CheckSpec) -> Grounded:
    params = {} if spec.params is None else read.mapping(spec, "allowed")
    told = params.get("allowed")
    bound = Grounded(
        spec=spec,
        numbers=read.flag(spec, params, "numbers", default=True),
        names=read.flag(spec, params, "names", default=True),
        allowed=() if told is None else read.texts(spec, told, "allowed"),
    )
    if not bound.numbers and not bound.names:
        raise read.wrong(spec, "neither numbers nor names leaves nothing to look up")
    return bound


def _unknown_numbers(text: str, known: str) -> list[str]:
    """Return the numbers that are not known, as written."""
    spoken, source = prepared(_CITATION.sub("", text)), prepared(known)
    values = {abs(each.value) for each in numerals(source)}
    values |= {Decimal(each.group()) for each in _DIGITS.finditer(source)}
    stated = [
        (spoken[each.start : each.end].strip(), abs(each.value))
        for each in numerals(spoken)
        if each.value > SMALL or any(map(str.isdigit, spoken[each.start : each.end]))
    ]
    # `3/4` is also 3 and 4: a part that is known by itself stands for itself.
    unknown = (written for written, value in stated if value not in values)
    return list(dict.fromkeys(unknown))


def _unknown_names(text: str, known: str) -> list[str]:
    source = words_of(known)
    vocabulary = {word.text for word in source}
    unknown = (name for name in _names(text) if not _is_known(name, source, vocabulary))
    return list(dict.fromkeys(unknown))


def _names(text: str) -> Iterator[str]:
    """Yield the names of a text; a word that begins a sentence may be none."""
    spoken = without_emphasis(same_shapes(text))
    for found in islice(_NAME.finditer(spoken), MAX_NAMES):
        words = found.group().split()
        before = spoken[max(0, found.start() - _LOOK_BACK) : found.start()]
        if _BEGINNING.search(before):
            words = words[1:]
        while words and words[0].lower().rstrip(".") in _NO_NAMES | {"of", "&"}:
            words = words[1:]
        if words:
            yield " ".join(words).rstrip(".")


def _is_known(name: str, source: list[Word], vocabulary: set[str]) -> bool:
    words = [word.text for word in words_of(name)]
    bare = [word for word in words if word not in _NO_NAMES]
    if len(bare) <= 1:
        return all(word in vocabulary or f"{word}s" in vocabulary for word in bare)
    wanted = parsed(name)
    return wanted is None or names(wanted, source)
