"""Checks on lists of things: items (which must be said), one_of (one and no more)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .denials import denies_thing
from .json_text import only_scalar
from .mentions import Mention, mentions
from .normalise import exact, fold, is_silent, said
from .protocol import BoundCheck, CheckType, Example
from .showing import shown_all, shown_answer

_EDGES = " .,;:!?\"'()[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(BoundCheck):
    """The answer says enough of the items, each under any of its names.

    `recall` is the share that must be said, above 0 and at most 1.
    """

    items: tuple[tuple[str, ...], ...]
    recall: float
    ordered: bool

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `items:missing`, `items:order` or `items:empty`.

        In another order, everything that must be said is said.
        """
        if is_silent(answer):
            return self.failed("items:empty", f"expected {self}, found an empty answer")
        spoken = fold("\n".join(said(answer)))
        found = [
            mention
            for mention in mentions(spoken, self._folded())
            if not denies_thing(spoken, mention.start)
        ]
        told = {mention.thing for mention in found}
        if len(told) < self.least:
            missing = [each[0] for at, each in enumerate(self.items) if at not in told]
            reason = f"found {len(told)} of {len(self.items)} items"
            return self.failed(
                "items:missing",
                f"expected {self}, {reason}, not {shown_all(missing)}, "
                f"in {shown_answer(answer)}",
            )
        if self.ordered and not _in_order(found):
            first = list(dict.fromkeys(mention.thing for mention in found))
            names = shown_all([self.items[thing][0] for thing in first])
            return self.failed("items:order", f"expected {self}, found {names}")
        return self.passed()

    @property
    def least(self) -> int:
        """How many items must be said."""
        # So that 2/3 of 3 is 2, whatever floats make of it.
        return max(1, math.ceil(round(self.recall * len(self.items), 6)))

    def describe(self) -> str:
        """Ask for the items when they are form."""
        if self.seeks_facts:
            return ""
        listed = ", ".join(f'"{names[0]}"' for names in self.items)
        order = ", in this order" if self.ordered else ""
        some = "" if self.least == len(self.items) else f"at least {self.least} of "
        return f"Name {some}these{order}: {listed}."

    def gold(self) -> tuple[str, ...]:
        """Return every name of every item when they are facts."""
        names = tuple(name for names in self.items for name in names)
        return names if self.seeks_facts else ()

    def __str__(self) -> str:
        """Return what is expected, in words."""
        every = self.least == len(self.items)
        many = f"all {len(self.items)}" if every else f"{self.least}"
        order = " in order" if self.ordered else ""
        return f"{many} of {shown_all([names[0] for names in self.items])}{order}"

    def _folded(self) -> list[list[str]]:
        return [[fold(name) for name in names] for names in self.items]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf(BoundCheck):
    """The answer says one of the values and no other.

    Under `form` it is all of the answer, written as it stands in the list.
    """

    values: tuple[str, ...]
    ignore_case: bool

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `one_of:` and none, several, surrounded or empty."""
        if is_silent(answer):
            return self.failed(
                "one_of:empty", f"expected {self}, found an empty answer"
            )
        if self._is_whole(answer.text):
            return self.passed()
        text = "\n".join(said(answer) if self.seeks_facts else (answer.text,))
        things = [[fold(value)] for value in self.values]
        told = sorted({mention.thing for mention in mentions(fold(text), things)})
        found = shown_answer(answer)
        if not told:
            return self.failed("one_of:none", f"expected {self}, found {found}")
        if len(told) > 1:
            names = shown_all([self.values[thing] for thing in told])
            reason = f"expected {self}, found {names} in {found}"
            return self.failed("one_of:several", reason)
        if self.seeks_facts:
            return self.passed()
        reason = f"expected {self} and nothing else, found {found}"
        return self.failed("one_of:surrounded", reason)

    def describe(self) -> str:
        """List the values: which of them is right is not said."""
        listed = ", ".join(f'"{value}"' for value in self.values)
        alone = "" if self.seeks_facts else " and nothing else"
        return f"Answer with exactly one of these{alone}: {listed}."

    def __str__(self) -> str:
        """Return the values, in words."""
        return f"one of {shown_all(self.values)}"

    def _is_whole(self, text: str) -> bool:
        if not self.seeks_facts:
            spoken = exact(text, ignore_case=self.ignore_case).strip()
            values = (exact(each, ignore_case=self.ignore_case) for each in self.values)
            return spoken in {value.strip() for value in values}
        bare = fold(only_scalar(text) or text).strip(_EDGES)
        return bare in {fold(value).strip(_EDGES) for value in self.values}


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module."""
    return (_items_type(), _one_of_type())


def _in_order(found: Sequence[Mention]) -> bool:
    """Whether the things can be read off in their order, each after the last."""
    at = -1
    for thing in sorted({mention.thing for mention in found}):
        starts = (each.start for each in found if each.thing == thing)
        after = next((start for start in starts if start > at), None)
        if after is None:
            return False
        at = after
    return True


def _items_type() -> CheckType:
    summary = "The answer says all of these items, or a share of them, in any order."
    item: dict[str, Json] = {"anyOf": [read.TEXT, read.TEXTS]}
    listed: dict[str, Json] = {"type": "array", "items": item, "minItems": 1}
    keys: dict[str, Json] = {
        "items": read.described(listed, "The items: a text, or a list of its names."),
        "recall": {
            "description": "The share that must be said; 1 by default.",
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
        },
        "ordered": read.described(
            read.FLAG, "Whether they must come in this order; false by default."
        ),
    }
    longhand = read.options("The items, with options.", keys, ["items"])
    return CheckType(
        name="items",
        summary=summary,
        parameters={"description": summary, "anyOf": [listed, longhand]},
        bind=_bind_items,
        codes=("items:empty", "items:missing", "items:order"),
        example=Example(
            params={"items": ["rinse", ["wax", "impregnate"], "dry"], "ordered": True},
            passing=Answer(
                text="1. Rinse them.\n2. Impregnate them.\n3. Let them dry."
            ),
            failing=Answer(text="Dry them, wax them, then rinse them."),
            code="items:order",
        ),
    )


def _bind_items(spec: CheckSpec) -> Items:
    params = read.mapping(spec, "items")
    listed = params.get("items")
    if isinstance(listed, str | Mapping) or not isinstance(listed, Sequence):
        raise read.wrong(spec, f"items must be a list, not {listed!r}")
    items = tuple(read.texts(spec, each, "an item") for each in listed)
    recall = read.quantity(spec, params.get("recall", 1), "recall")
    if not items or not all(fold(name) for names in items for name in names):
        raise read.wrong(spec, "an item holds nothing that could be seen")
    if not 0 < recall <= 1:
        raise read.wrong(spec, f"recall must be above 0 and at most 1, not {recall:g}")
    ordered = read.flag(spec, params, "ordered", default=False)
    return Items(spec=spec, items=items, recall=recall, ordered=ordered)


def _one_of_type() -> CheckType:
    summary = "The answer says one of these values and no other; as form, nothing else."
    values: dict[str, Json] = {"type": "array", "items": read.TEXT, "minItems": 2}
    keys: dict[str, Json] = {
        "values": read.described(values, "All values that may be said."),
        "ignore_case": read.described(
            read.FLAG, "Whether capitals do not matter; by default only under facts."
        ),
    }
    longhand = read.options("The values, with options.", keys, ["values"])
    return CheckType(
        name="one_of",
        summary=summary,
        parameters={"description": summary, "anyOf": [values, longhand]},
        bind=_bind_one_of,
        codes=("one_of:empty", "one_of:none", "one_of:several", "one_of:surrounded"),
        example=Example(
            params=["refund", "exchange", "repair"],
            passing=Answer(text="Repair"),
            failing=Answer(text="A refund or an exchange."),
            code="one_of:several",
        ),
    )


def _bind_one_of(spec: CheckSpec) -> OneOf:
    params = read.mapping(spec, "values")
    values = read.texts(spec, params.get("values"), "values")
    if len(values) < 2 or not all(map(fold, values)):  # noqa: PLR2004 (a choice)
        raise read.wrong(spec, "values must be two texts or more that can be seen")
    seeks_facts = spec.dimension == "facts"
    ignore_case = read.flag(spec, params, "ignore_case", default=seeks_facts)
    return OneOf(spec=spec, values=values, ignore_case=ignore_case)
