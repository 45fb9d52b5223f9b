"""Units of measure: their names, and which of them say the same quantity.

Units of one family convert exactly into each other, so `two weeks` is
`14 days`.  Where a conversion is disputed (1 kB, 1 month in days) the units
stand in families of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit as a multiple of its family's first unit."""

    family: str
    factor: Decimal


# Words that are spelled like a unit, and counted as things.
_WORD_LIST = "moth pond tone litter minuet quartet decree mil bye"
_WORDS = frozenset(_WORD_LIST.split())
_SHORTEST = len("days")
# Of longer names one letter may also be another: `celcius`.
_LONG = len("celsius")

# family: (factor, names); a plural in -s or -es is understood.
_TABLE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "time": (
        ("0.001", "millisecond ms msec"),
        ("1", "second sec s"),
        ("60", "minute min"),
        ("3600", "hour hr h"),
        ("86400", "day d"),
        ("604800", "week wk"),
        ("1209600", "fortnight"),
    ),
    "calendar": (
        ("1", "month mo mth"),
        ("3", "quarter"),
        ("12", "year yr y annum"),
        ("120", "decade"),
        ("1200", "century centuries"),
    ),
    "length": (
        ("0.001", "millimetre millimeter mm"),
        ("0.01", "centimetre centimeter cm"),
        ("1", "metre meter m"),
        ("1000", "kilometre kilometer km"),
        ("0.0254", "inch inches in"),
        ("0.3048", "foot feet ft"),
        ("0.9144", "yard yd"),
        ("1609.344", "mile mi"),
    ),
    "area": (
        ("1", "square metre|square meter|m2|m^2|sqm|sq m"),
        ("1000000", "square kilometre|square kilometer|km2|km^2|sq km"),
        ("0.09290304", "square foot|square feet|sqft|sq ft|ft^2"),
        ("10000", "hectare|ha"),
    ),
    "mass": (
        ("0.001", "milligram mg"),
        ("1", "gram gramme g gr"),
        ("1000", "kilogram kilogramme kg kilo"),
        ("1000000", "tonne"),
        ("28.349523125", "ounce oz"),
        ("453.59237", "pound lb lbs"),
    ),
    "volume": (
        ("0.001", "millilitre milliliter ml"),
        ("0.01", "centilitre centiliter cl"),
        ("1", "litre liter l ltr"),
    ),
    "speed": (
        ("1", "kilometres per hour|kilometers per hour|km/h|kmh|kph"),
        ("1.609344", "miles per hour|mph"),
        ("3.6", "metres per second|meters per second|m/s"),
    ),
    "share": (
        ("1", "%|percent|per cent|pct|percentage"),
        ("0.1", "\u2030|per mille"),
    ),
    "points": (("1", "percentage point|pp"), ("0.01", "basis point|bp|bps")),
    "celsius": (("1", "\u00b0c|degree celsius|degrees celsius|celsius|degree c|c"),),
    "fahrenheit": (
        ("1", "\u00b0f|degree fahrenheit|degrees fahrenheit|fahrenheit|degree f|f"),
    ),
    "degree": (("1", "\u00b0 degree deg"),),
    "dollar": (("1", "$ us$ usd dollar buck"), ("0.01", "cent \u00a2")),
    "euro": (("1", "\u20ac eur euro"), ("0.01", "cent")),
    "sterling": (("1", "\u00a3 gbp pound quid"), ("0.01", "penny pence")),
    "yen": (("1", "\u00a5 jpy yen"),),
    "yuan": (("1", "\u00a5 cny rmb yuan"),),
    "rupee": (("1", "\u20b9 inr rs rupee"),),
    "franc": (("1", "chf franc"),),
    "won": (("1", "\u20a9 krw won"),),
    "bit": (("1", "bit"),),
    "byte": (("1", "byte b"),),
    "kilobyte": (("1", "kilobyte kb"),),
    "megabyte": (("1", "megabyte mb"),),
    "gigabyte": (("1", "gigabyte gb"),),
    "terabyte": (("1", "terabyte tb"),),
    "power": (("1", "watt w"), ("1000", "kilowatt kw"), ("1000000", "megawatt mw")),
    "energy": (("1", "watt hour|wh"), ("1000", "kilowatt hour|kwh")),
    "volt": (("1", "volt v"),),
    "hertz": (("1", "hertz hz"), ("1000", "khz"), ("1000000", "mhz"), ("1e9", "ghz")),
    "calorie": (("1", "kilocalorie|kcal|calorie|cal"),),
}


def units_named(name: str) -> frozenset[Unit]:
    """Return the units a name can mean, singular or plural; none when unknown."""
    name = name.casefold()
    forms = [name] if len(name) < len("hrs") else sorted(noun_forms(name), key=len)
    return next((_NAMED[form] for form in reversed(forms) if form in _NAMED), _NONE)


def misspelt_unit(name: str) -> str:
    """Return the unit that a name was surely meant to be; mostly an empty text.

    Anything can be counted, so only slips that make no other word are told: a
    letter too many, too few or swapped, or a final z.
    """
    written = name.casefold()
    if units_named(written) or noun_forms(written) & _WORDS:
        return ""
    spelled = (form for each in _NAMED for form in (each, f"{each}s"))
    meant = [form for form in spelled if _is_slip(written, form)]
    return max(meant, key=lambda form: form[-1] == written[-1], default="")


def _is_slip(written: str, name: str) -> bool:
    if len(name) < _SHORTEST or written[:1] != name[0]:
        return False
    if len(written) == len(name):
        differing = [at for at, one in enumerate(name) if one != written[at]]
        parts = [text[differing[0] : differing[-1] + 1] for text in (name, written)]
        swapped = len(differing) == len("ab") and parts[0] == parts[1][::-1]
        other = len(differing) == 1 and (len(name) >= _LONG or parts[1] == "z")
        return swapped or other
    longer, shorter = sorted((written, name), key=len, reverse=True)
    return len(longer) == len(shorter) + 1 and any(
        longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer))
    )


def same_noun(one: str, other: str) -> bool:
    """Whether two words agree but for a simple plural and case."""
    return bool(noun_forms(one) & noun_forms(other))


def noun_forms(word: str) -> frozenset[str]:
    """Return a word, casefolded, with all it could be the plural of."""
    word = word.casefold()
    forms = {word}
    if word.endswith("s") and not word.endswith("ss"):
        forms.add(word[:-1])
    if word.endswith("es"):
        forms.add(word[:-2])
    if word.endswith("ies"):
        forms.add(word[:-3] + "y")
    return frozenset(forms)


def _names(text: str) -> Iterable[str]:
    return text.split("|") if "|" in text else text.split()


def _index() -> Mapping[str, frozenset[Unit]]:
    named: dict[str, set[Unit]] = {}
    for family, units in _TABLE.items():
        for factor, names in units:
            for name in _names(names):
                named.setdefault(name, set()).add(Unit(family, Decimal(factor)))
    return {name: frozenset(units) for name, units in named.items()}


_NONE: frozenset[Unit] = frozenset()
_NAMED = _index()
