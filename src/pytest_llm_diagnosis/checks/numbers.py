"""The check for a stated number: number.

It asks whether the number is stated somewhere (with `final`, whether it is the
result), so other numbers beside it do no harm.  A unit may be written in any
common way and converts exactly.  Under `facts` a bare number also passes ("How
many days?" - "45."); under `form` the unit must be stated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .denials import denial
from .json_text import is_json
from .measures import Measure, compounds, implied, measure, says
from .normalise import said
from .numerals import Numeral, numerals, prepared, with_points
from .protocol import BoundCheck, CheckType, Example
from .showing import shown_all, shown_answer
from .units import misspelt_unit, units_named

FINAL_MARKER = re.compile(
    r"\b(?:final |correct )?answer\b(?: is| would be|:| =)[\s*:]*|####[ ]*"
    r"|\\boxed\{|^\W*a(?:ns)?:[ ]*",
    re.IGNORECASE | re.MULTILINE,
)
"""Says that the number behind it is the result, whatever follows."""
# A reason or a calculation behind the result is none of it.
_RESULT_END = re.compile(r"\n|[.!?](?=\s|$)|,(?=\s[a-z])|(?<=\d)\s\(")

Agreement = Literal["same", "other unit", "other value"]

# The last number of a long solution stands at its end.
_FINAL_PART = 2_000
_BESIDE = 12
SEARCHED = 300_000
"""Characters of a text; a megabyte of `2h30` takes over a second."""


class _Stated(NamedTuple):
    text: str
    numeral: Numeral

    @property
    def denial(self) -> str:
        """What directly before the number takes it back: `not `."""
        return denial(self.text, self.numeral.start)

    def shown(self) -> str:
        """Return the number as written, with what follows it."""
        end = self.numeral.end + _BESIDE
        written = self.text[self.numeral.start : end].split("\n")[0].strip()
        return f"{self.denial}{written}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(BoundCheck):
    """The answer states the number.  `tolerance` is in the number's own unit."""

    value: Decimal
    tolerance: Decimal
    unit: str
    final: bool
    decimal_comma: bool = False

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `number:missing`, `number:other` or `number:unit`.

        Missing means that no number is stated at all.
        """
        stated = [each for text in self._texts(answer) for each in self._stated(text)]
        if not stated:
            found = f"found no number in {shown_answer(answer)}"
            return self.failed("number:missing", f"expected {self}, {found}")
        held = [each for each in stated if not each.denial]
        agreements = {self.agreement(*each) for each in held}
        if "same" in agreements or self._in_parts(held):
            return self.passed()
        code = "number:unit" if "other unit" in agreements else "number:other"
        found = shown_all(list(dict.fromkeys(each.shown() for each in stated)))
        reason = f"expected {self}, found {found} in {shown_answer(answer)}"
        return self.failed(code, reason)

    def agreement(self, text: str, numeral: Numeral) -> Agreement:
        """Return whether a number in a prepared text is the expected one."""
        if not self.unit:
            return "same" if self._is_value(text, numeral) else "other value"
        found = measure(text, numeral, self.unit)
        if self._is_quantity(numeral.value, found):
            return "same"
        return "other unit" if self._near(numeral.value) else "other value"

    def describe(self) -> str:
        """Ask for the number when it is form."""
        return "" if self.seeks_facts else f"State the number {self}."

    def gold(self) -> tuple[str, ...]:
        """Return the number in digits, grouped or not."""
        if not self.seeks_facts:
            return ()
        plain, grouped = f"{self.value:f}", f"{self.value:,f}"
        return (plain,) if plain == grouped else (plain, grouped)

    def __str__(self) -> str:
        """Return the number with its tolerance and unit."""
        within = f" (within {self.tolerance:f})" if self.tolerance else ""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.value:f}{unit}{within}"

    def _texts(self, answer: Answer) -> list[str]:
        pieces = said(answer)
        if self.final:
            pieces = (pieces[0][-_FINAL_PART:],)
        if self.decimal_comma:
            # JSON knows the point alone.
            pieces = tuple(
                piece if is_json(piece) else with_points(piece) for piece in pieces
            )
        if self.final:
            pieces = (_result(pieces[0]) or pieces[0],)
        return [prepared(piece[:SEARCHED]) for piece in pieces]

    def _stated(self, text: str) -> list[_Stated]:
        found = sorted(
            (*numerals(text), *(implied(text, self.unit) if self.unit else ())),
            key=lambda numeral: (numeral.start, numeral.end),
        )
        last = max((each.end for each in found), default=0)
        return [
            _Stated(text, each) for each in found if not self.final or each.end == last
        ]

    def _in_parts(self, stated: Sequence[_Stated]) -> bool:
        """Whether the number is stated in parts, as in `2 hours 30 minutes`."""
        own = {unit.family: unit.factor for unit in units_named(self.unit)}
        return any(
            self._near(amount.value, own[amount.family])
            for text in {each.text for each in stated if own}
            for amount in compounds(
                text, [each.numeral for each in stated if each.text is text], self.unit
            )
        )

    def _is_value(self, text: str, numeral: Numeral) -> bool:
        share = text[numeral.end : numeral.end + 2].lstrip().startswith("%")
        return self._near(numeral.value) or (share and self._near(numeral.value / 100))

    def _is_quantity(self, value: Decimal, found: Measure) -> bool:
        """Whether a value in its unit is the expected one, converted if need be."""
        if found.is_bare:
            return self.seeks_facts and (self._near(value) or self._is_share(value))
        if not found.units:
            return says(found.words, self.unit) and self._near(value)
        return any(
            unit.family == own.family and self._near(value * unit.factor, own.factor)
            for unit in found.units
            for own in units_named(self.unit)
        )

    def _is_share(self, value: Decimal) -> bool:
        """Whether a bare number is the expected percentage: 0.2 is 20%."""
        is_share = any(unit.family == "share" for unit in units_named(self.unit))
        return is_share and self._near(value * 100)

    def _near(self, value: Decimal, factor: Decimal = Decimal(1)) -> bool:
        distance = abs(value - self.value * factor)
        return distance <= self.tolerance * factor


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = "The answer states this number, in digits or words, in any common way."
    number: dict[str, Json] = {"type": ["number", "string"], "minLength": 1}
    keys: dict[str, Json] = {
        "value": read.described(number, "The number; as text it may have a unit."),
        "tolerance": read.described(
            number, 'How far off it may be: a number, or a share such as "5%".'
        ),
        "unit": read.described(
            read.TEXT, "Its unit; common spellings and exact conversions also count."
        ),
        "final": read.described(
            read.FLAG,
            "Whether only the result of a worked solution counts: the number that "
            "is called the answer, else the last one.",
        ),
        "decimal_comma": read.described(
            read.FLAG, "Whether 1.234,5 is how numbers are written; false by default."
        ),
    }
    longhand = read.options("The number, with options.", keys, ["value"])
    example = Example(
        params={"value": 45, "unit": "days"},
        passing=Answer(text="You have forty-five days."),
        failing=Answer(text="You have 45 weeks."),
        code="number:unit",
    )
    return (
        CheckType(
            name="number",
            summary=summary,
            parameters={"description": summary, "anyOf": [number, longhand]},
            bind=_bind,
            example=example,
            codes=("number:missing", "number:other", "number:unit"),
        ),
    )


def _bind(spec: CheckSpec) -> Number:
    params = read.mapping(spec, "value")
    decimal_comma = read.flag(spec, params, "decimal_comma", default=False)
    written = params.get("value")
    if decimal_comma and isinstance(written, str):
        written = with_points(written)
    value, unit = _value(spec, written)
    if "unit" in params:
        told = read.text(spec, params["unit"], "unit").strip()
        if unit and not _same_unit(unit, told):
            finding = f"two units: {unit!r} in value, {told!r} in unit"
            raise read.wrong(spec, finding, "give the number its unit once")
        # Read together, so that `1.5` with the unit `million` is understood.
        value, unit = _value(spec, f"{value:f} {told}")
    if meant := misspelt_unit(unit):
        raise read.wrong(spec, f"unknown unit {unit!r}", f"did you mean {meant!r}?")
    return Number(
        spec=spec,
        value=value,
        tolerance=_tolerance(spec, params.get("tolerance", 0), value),
        unit=unit,
        final=read.flag(spec, params, "final", default=False),
        decimal_comma=decimal_comma,
    )


def _same_unit(one: str, other: str) -> bool:
    named = units_named(one)
    if named:
        return named == units_named(other)
    return says(one.split(), other) and says(other.split(), one)


def _result(text: str) -> str:
    """Return what a worked solution says of its result; empty if it says nothing."""
    markers = list(FINAL_MARKER.finditer(text))
    told = (_RESULT_END.split(text[each.end() :], 1)[0] for each in reversed(markers))
    said_last = next((each for each in told if numerals(prepared(each))), "")
    return said_last.rpartition("=")[2]


def _value(spec: CheckSpec, written: Json) -> tuple[Decimal, str]:
    """Return the number and the unit written beside it, if any."""
    plain = _decimal(written)
    if plain is not None:
        return plain, ""
    text = prepared(written) if isinstance(written, str) else ""
    # At the end of a value it is a unit, in a sentence mostly a preposition.
    text = re.sub(r"(?<=\d) ?in\.?$", " inches", text)
    found: Sequence[Numeral] = numerals(text)
    widest = max(found, key=lambda each: each.end - each.start, default=None)
    if widest is None or any(
        each.end > widest.end or each.end <= widest.start for each in found
    ):
        if whole := _in_parts(text, found):
            return whole
        raise read.wrong(spec, f"value must be one number, not {written!r}")
    unit = text[widest.end :].strip(" -.,;")
    return widest.value, widest.currency or unit


def _in_parts(text: str, found: Sequence[Numeral]) -> tuple[Decimal, str] | None:
    """Return a value that is written in parts, such as `5 ft 10 in`, in its first."""
    if len(found) < 2:  # noqa: PLR2004 (parts)
        return None
    unit = text[found[0].end : found[1].start].strip(" -.,").partition(" ")[0]
    amounts = list(compounds(text, found, unit))
    own = {each.family: each.factor for each in units_named(unit)}
    if len(amounts) != len(found) - 1:
        return None
    return amounts[-1].value / own[amounts[-1].family], unit


def _tolerance(spec: CheckSpec, written: Json, value: Decimal) -> Decimal:
    share = isinstance(written, str) and written.strip().endswith("%")
    text = written.strip().rstrip("%") if isinstance(written, str) else written
    amount = _decimal(text)
    if amount is None or amount < 0:
        finding = f"tolerance must be a number from 0 or a share, not {written!r}"
        raise read.wrong(spec, finding)
    return abs(value) * amount / 100 if share else amount


def _decimal(written: Json) -> Decimal | None:
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        return None
    try:
        value = Decimal(str(written))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
