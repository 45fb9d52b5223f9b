"""The check for a stated date: date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .dates import Order, Stated, When, dates
from .normalise import said
from .protocol import BoundCheck, CheckType, Example
from .showing import shown, shown_all, shown_answer

ORDERS: tuple[Order, ...] = ("day_first", "month_first")
_ISO = re.compile(r"\d{4}(?:-\d{2}){0,2}(?:T.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dating(BoundCheck):
    """The answer states the date; with `iso`, written after ISO 8601.

    A date may be partial: `May 2024` is also stated by `3 May 2024`.
    """

    wanted: When
    order: Order | None
    iso: bool

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `date:` and missing, other, incomplete or format.

        A date that would be right in one of two orders is undecided,
        `date:ambiguous`: state the `order`.
        """
        stated = [each for text in said(answer) for each in dates(text, self.order)]
        if not stated:
            found = f"found no date in {shown_answer(answer)}"
            return self.failed("date:missing", f"expected {self.wanted}, {found}")
        held = [each for each in stated if not each.is_denied]
        right = [each for each in held if each.when.says(self.wanted)]
        if not right:
            return self._other(stated, answer)
        sure = [each for each in right if each.is_sure]
        if not sure:
            return self._ambiguous(right[0])
        if self.iso and not any(_ISO.fullmatch(each.written) for each in sure):
            found = shown(sure[0].written)
            reason = f"expected {self.wanted} written so, found {found}"
            return self.failed("date:format", reason)
        return self.passed()

    def describe(self) -> str:
        """Ask for the date when it is form."""
        if self.seeks_facts:
            return ""
        written = " Write dates as YYYY-MM-DD." if self.iso else ""
        return f"State the date {self.wanted}.{written}"

    def gold(self) -> tuple[str, ...]:
        """Return the date after ISO 8601; the year alone would be too little."""
        return (str(self.wanted),) if self.seeks_facts else ()

    def _other(self, stated: Sequence[Stated], answer: Answer) -> Verdict:
        held = (each.when for each in stated if not each.is_denied)
        part = any(when.is_part_of(self.wanted) for when in held)
        code = "date:incomplete" if part else "date:other"
        found = shown_all(list(dict.fromkeys(each.written for each in stated)))
        reason = f"expected {self.wanted}, found {found} in {shown_answer(answer)}"
        return self.failed(code, reason)

    def _ambiguous(self, stated: Stated) -> Verdict:
        reason = (
            f"expected {self.wanted}, found {shown(stated.written)}, which is that "
            f"date or another: state order: {' or '.join(ORDERS)}"
        )
        return self.undecided("date:ambiguous", reason)


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = "The answer states this date, or this month or year, in any written form."
    value: dict[str, Json] = {"type": ["string", "integer"], "minLength": 1}
    keys: dict[str, Json] = {
        "value": read.described(value, "The date: 2024-05-03, May 2024, 2024."),
        "order": {
            "description": "How 03/05/2024 is read; without it, both ways.",
            "enum": list(ORDERS),
        },
        "iso": read.described(
            read.FLAG, "Whether it must be written as 2024-05-03; false by default."
        ),
    }
    longhand = read.options("The date, with options.", keys, ["value"])
    example = Example(
        params="2024-05-03",
        passing=Answer(text="It opened on Friday, May 3rd, 2024."),
        failing=Answer(text="It opened in May 2024."),
        code="date:incomplete",
    )
    return (
        CheckType(
            name="date",
            summary=summary,
            parameters={"description": summary, "anyOf": [value, longhand]},
            bind=_bind,
            codes=(
                "date:missing",
                "date:other",
                "date:incomplete",
                "date:ambiguous",
                "date:format",
            ),
            example=example,
        ),
    )


def _bind(spec: CheckSpec) -> Dating:
    params = read.mapping(spec, "value")
    order = params.get("order")
    if order is not None and order not in ORDERS:
        raise read.wrong(spec, f"order must be one of {', '.join(ORDERS)}")
    iso = read.flag(spec, params, "iso", default=False)
    wanted = _wanted(spec, params.get("value"), order)
    return Dating(spec=spec, wanted=wanted, order=order, iso=iso)


def _wanted(spec: CheckSpec, written: Json, order: Order | None) -> When:
    """Return the one date that is written; its words must mean no other."""
    whole = isinstance(written, int) and not isinstance(written, bool)
    found = dates(str(written), order) if whole or isinstance(written, str) else []
    if len(found) > 1 and not found[0].is_sure:
        finding = f"{written!r} is ambiguous"
        hint = f"write 2024-05-03, or state order: {' or '.join(ORDERS)}"
        raise read.wrong(spec, finding, hint)
    if len(found) != 1 or found[0].is_denied:
        raise read.wrong(
            spec, f"value must be one date such as 2024-05-03, not {written!r}"
        )
    return found[0].when
