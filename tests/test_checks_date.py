"""date: one day, month or year in any written form."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, graded, outcome, refusal
from pytest_llm_diagnosis.records import Json

DAY = "2024-05-03"


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-03",
        "It was 2024-05-03T09:30:00Z.",
        "2024/5/3",
        "on 3 May 2024.",
        "on the 3rd of May, 2024",
        "May 3rd, 2024",
        "May 3 2024",
        "Friday, 03 May 2024, at 10:30",
        "Fri. 3.5.2024",
        "03.05.24",
        "the third of May, two thousand twenty-four",
        "3 May '24",
        "**May 3**, 2024",
        "from 3 to 7 May 2024",
        "May 1-3, 2024",
        "3\u20135 May 2024",
        "2024, May 3rd",
        "May\u00a03,\u00a02024",
        '{"opened": "2024-05-03"}',
        "the third of May in 2024",
        "May 3 in 2024",
        "3-May-24",
        "03-MAY-2024",
        "20240503",
        "2024\u5e745\u67083\u65e5",
        "3. Mai 2024",
        "Es war am 3. Mai 2024, einem Freitag.",
        "It was not until 3 May 2024.",
        "It was not 2 May 2024 but 3 May 2024.",
        "It closed in 1999 and opened again on 3 May 2024.",
    ],
)
def test_written_forms(text: str) -> None:
    """ISO, day or month first, ordinals, words, ranges, with a weekday or a time."""
    assert outcome("date", DAY, text) is None


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        (DAY, "", "date:missing"),
        (DAY, "In spring; it took 3 days.", "date:missing"),
        (DAY, "on 4 May 2024", "date:other"),
        (DAY, "on 3 May 2023", "date:other"),
        (DAY, "on 3 May", "date:incomplete"),
        (DAY, "in May 2024", "date:incomplete"),
        (DAY, "in 2024", "date:incomplete"),
        (DAY, "version 3.5.2024.1", "date:missing"),
        (DAY, "31 April 2024", "date:missing"),
        (DAY, "order 20240532", "date:missing"),
        (DAY, "order 20241305", "date:missing"),
        (DAY, "order A20240503", "date:missing"),
        (DAY, "It was not on 3 May 2024 but on 4 May.", "date:other"),
        (DAY, "It wasn't 3 May 2024.", "date:other"),
        ("2024-05-02", "1. May 3, 2024\n2. May 4, 2024", "date:other"),
        (DAY, "03/05/2024", "date:ambiguous"),
        (DAY, "13/05/2024", "date:other"),
        ({"value": DAY, "order": "day_first"}, "03/05/2024", None),
        ({"value": DAY, "order": "month_first"}, "03/05/2024", "date:other"),
        ({"value": DAY, "order": "month_first"}, "05/03/2024", None),
        ({"value": DAY, "order": "month_first"}, "05-03-24", None),
        ("2024-05-13", "05/13/2024", None),
        ("2024-05-05", "05/05/2024", None),
        ("May 2024", "on 3 May 2024", None),
        ("2024-05", "05/2024", None),
        ("May 2024", "in 2024", "date:incomplete"),
        (1987, "It opened in 1987.", None),
        (1987, "It opened in nineteen eighty-seven.", None),
        (1987, "It ran 1987-1991.", None),
        (1987, "It cost $1987 or 1,987.", "date:missing"),
        (DAY, "May 1, 2024, May 3, 2025", "date:other"),
        ("July", "It ended in July.", None),
        ("July", "It ended on 4 July 2024.", None),
        ("May", "It may end in march.", "date:missing"),
        ("May", "It ended in May.", None),
        (DAY, "It ended in May.", "date:incomplete"),
        ("25 December", "on December 25th, 2031", None),
        ({"value": DAY, "iso": True}, "2024-05-03", None),
        ({"value": DAY, "iso": True}, "3 May 2024", "date:format"),
    ],
)
def test_verdicts(params: Json, text: str, code: str | None) -> None:
    """A part of a date is wanted or not; what could be it is undecided."""
    assert outcome("date", params, text) == code


def test_an_ambiguous_date_is_undecided() -> None:
    """A date that one of two orders would make right is nobody's failure."""
    verdict = graded("date", DAY, "03/05/2024")
    assert verdict.passed is None
    assert "state order: day_first or month_first" in verdict.reason


@pytest.mark.parametrize(
    ("params", "finding"),
    [
        ("soon", "one date such as 2024-05-03, not 'soon'"),
        ("3 May 2024 or 4 May 2024", "must be one date"),
        ("03/05/2024", "is ambiguous"),
        ("2024-13-01", "must be one date"),
        (True, "must be one date"),
        ({"value": DAY, "order": "year_first"}, "order must be one of day_first"),
    ],
)
def test_parameters_that_cannot_work(params: Json, finding: str) -> None:
    """The value must be one date, and an ambiguous one needs an order."""
    assert finding in refusal("date", params).finding


def test_what_it_says_of_itself() -> None:
    """A fact is not given away; a demand of form is stated."""
    assert bound("date", DAY).describe() == ""
    assert bound("date", DAY).gold() == (DAY,)
    demand = bound("date", {"value": DAY, "iso": True}, "form").describe()
    assert demand == "State the date 2024-05-03. Write dates as YYYY-MM-DD."


@given(
    st.dates(date(1000, 1, 1), date(2999, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%A, %b %d, %Y", "%d.%m.%Y"]),
)
def test_any_day_in_any_form(day: date, form: str) -> None:
    """Every date that Python writes is found, and no other day agrees."""
    written = f"It was {day.strftime(form)}."
    assert outcome("date", day.isoformat(), written) is None
    other = day.replace(year=day.year - 1) if day.month != 2 else date(999, 2, 1)
    assert outcome("date", f"{other:%Y-%m-%d}".zfill(10), written) == "date:other"


def test_a_denied_date_is_told_as_denied() -> None:
    """The reason shows the word that takes it back."""
    verdict = graded("date", DAY, "It was not on 3 May 2024.")
    assert "found 'not on 3 May 2024' in" in verdict.reason
    assert "must be one date" in refusal("date", "not 3 May 2024").finding
