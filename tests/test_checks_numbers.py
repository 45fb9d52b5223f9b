"""The number check: what counts as a stated number, its unit and tolerance."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, call, graded, outcome, refusal
from pytest_llm_diagnosis.checks.number_words import spelled_numbers
from pytest_llm_diagnosis.checks.numerals import numerals, prepared
from pytest_llm_diagnosis.records import Answer, Json


def values(text: str) -> list[Decimal]:
    """Return the numbers that a text states."""
    return [numeral.value for numeral in numerals(prepared(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45", "45"),
        ("It is 45.", "45"),
        ("45.0", "45"),
        ("-45", "-45"),
        ("\u221245", "-45"),
        ("minus 45", "-45"),
        ("minus forty-five", "-45"),
        ("-$45", "-45"),
        ("$-45", "-45"),
        (".5", "0.5"),
        ("1,200", "1200"),
        ("1,234,567.89", "1234567.89"),
        ("1,00,000", "100000"),
        ("1.234.567", "1234567"),
        ("1.234,50", "1234.5"),
        ("3,5", "3.5"),
        ("0,125", "0.125"),
        ("1\u202f200", "1200"),
        ("1'200", "1200"),
        ("1_000_000", "1000000"),
        ("1{,}200", "1200"),
        (r"\boxed{45}", "45"),
        ("\uff14\uff15", "45"),
        ("\u00bd", "0.5"),
        ("3\u00bd", "3.5"),
        ("2 and a half", "2.5"),
        ("3e8", "300000000"),
        ("3 \u00d7 10^8", "300000000"),
        ("1.5 million", "1500000"),
        ("45-thousand", "45000"),
        ("5k", "5000"),
        ("$2M", "2000000"),
        ("\u20ac3bn", "3000000000"),
        ("2m", "2"),
        ("EUR 45,00", "45"),
        ("5th", "5"),
        ("**45**", "45"),
        ("zero", "0"),
        ("forty-five", "45"),
        ("Forty five", "45"),
        ("one hundred and five", "105"),
        ("a hundred", "100"),
        ("two thousand twenty-four", "2024"),
        ("twelve hundred", "1200"),
        ("one million two hundred thousand", "1200000"),
        ("two and a half million", "2500000"),
        ("half a million", "500000"),
        ("a dozen", "12"),
        ("two dozen", "24"),
        ("three point one four", "3.14"),
        ("one day", "1"),
    ],
)
def test_one_number(text: str, expected: str) -> None:
    """Each way of writing a number is read as exactly that number."""
    assert values(text) == [Decimal(expected)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no idea", []),
        ("A45 and v2", []),
        ("version 1.2.3", []),
        ("no one of them", []),
        ("at this point", []),
        ("hundreds of boots", []),
        ("1. one thing\n2. another", ["1"]),
        ("45. Boots may be returned.", ["45"]),
        ("30-45", ["30", "45"]),
        ("30\u201345", ["30", "45"]),
        ("1,2,3", ["1", "2", "3"]),
        ("14:30", ["14", "30"]),
        ("2024-05-12", ["2024", "5", "12"]),
        ("12.05.2024", ["12", "5", "2024"]),
        ("3/4", ["3", "0.75", "4"]),
        ("1 1/2", ["1", "1.5", "1", "2"]),
        ("1 200 people", ["1", "1200", "200"]),
        ("five and six", ["5", "6"]),
        ("nineteen eighty-four", ["19", "1984", "84"]),
        ("one, two", ["1", "2"]),
        ("zero five", ["0", "5"]),
        ("10\u00b2", ["10", "100", "2"]),
        ("5 * 4=20", ["5", "4", "20"]),
    ],
)
def test_several_numbers_or_none(text: str, expected: list[str]) -> None:
    """Names and list markers state none; ambiguity gives every reading."""
    assert values(text) == [Decimal(each) for each in expected]


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        (45, "It is 45.", None),
        (45, "It is not 45.", "number:other"),
        (45, "It isn't 45 but 50.", "number:other"),
        (45, "It is not 40 but 45.", None),
        (45, "Whether or not 45 fit, it is 45.", None),
        (45, "not only 45", None),
        ("45 days", "not 45 days", "number:other"),
        ("150 minutes", "not 2 hours 30 minutes", "number:other"),
        (45, "1945", "number:other"),
        (45, "3.45", "number:other"),
        (45, "-45", "number:other"),
        (-45, "-45", None),
        (45, "no idea", "number:missing"),
        (45, "", "number:missing"),
        (0.45, "45%", None),
        (45, "45%", None),
        ("45", "45", None),
        ("1,200", "1200", None),
        ("forty-five", "45", None),
        ("45 days", "45 weeks", "number:unit"),
        ("$45", "45 dollars", None),
        (45, r'{"text": "\u0034\u0035"}', None),
        (12345678901234567891, "12345678901234567890", "number:other"),
        ({"value": 45, "tolerance": 2}, "46.9", None),
        ({"value": 45, "tolerance": 2}, "47.1", "number:other"),
        ({"value": 200, "tolerance": "5%"}, "190", None),
        ({"value": 200, "tolerance": "5%"}, "189", "number:other"),
        ({"value": 18, "final": True}, "9 * 2 = 18\nA: 18", None),
        ({"value": 9, "final": True}, "9 * 2 = 18\nA: 18", "number:other"),
        ({"value": 18, "final": True}, "The answer is 18. She eats 3 eggs.", None),
        ({"value": 3, "final": True}, "The answer is 18. 3 are left.", "number:other"),
        ({"value": 18, "final": True}, "Answer: 9 * 2 = $18, since 2 each.", None),
        ({"value": 18, "final": True}, "The answer is 18 (9 times 2).", None),
        ({"value": 18, "final": True}, "So it is \\boxed{18}. It took 4 steps.", None),
        ({"value": 18, "final": True}, "First answer: 7. No, the answer is 18.", None),
        ({"value": 18, "final": True}, "My answer? 9, and 18", None),
        ({"value": "20%"}, "a fifth of them", None),
        ({"value": "20%"}, "The share is 0.2.", None),
        ({"value": "20%"}, "The share is 0.2%.", "number:other"),
        (0.75, "three quarters of it", None),
        (0.75, "three quarter pounders", "number:other"),
        ("5 million", "5M people", None),
        (1_000_000, "10^6 cells", None),
        ({"value": 1234.5, "decimal_comma": True}, "1.234,5", None),
        ({"value": 1234, "decimal_comma": True}, "1.234 Euro", None),
        ({"value": "1.234 EUR", "decimal_comma": True}, "1234 Euro", None),
        ({"value": 1.5, "decimal_comma": True}, "1,5 kg", None),
        ({"value": 12.345, "decimal_comma": True}, "12,345", None),
        ({"value": 1.5, "decimal_comma": True}, '{"kg": 1.5}', None),
        ({"value": 2024, "decimal_comma": True}, "am 12.05.2024", None),
        (1234, "1.234 Euro", "number:other"),
        ("952.63 km2", "It covers 952.63 km2, they say.", None),
        ("952.63 km2", "It covers 952.63 square kilometres.", None),
        ("5 ft 10 in", "He is 5 feet 10 inches tall.", None),
        ("5 ft 10 in", "He is 5 feet 11 inches tall.", "number:other"),
        ("2 hours and 30 minutes", "It takes 150 minutes.", None),
        (97_686, "There are 97,686, as far as I know.", None),
        ("30 years.", "He was 30 years old.", None),
        ("$3,000 bond", "a bond of 3,000 dollars", None),
        (8, "It is the eighth season.", None),
        ("Seventh", "It came 7th.", None),
        (23, "the twenty-third", None),
        (3, "A third of them left.", "number:other"),
        (2, "Second, rinse it.", "number:missing"),
        ({"value": 1.5, "unit": "million euros"}, "1.5 million euros", None),
    ],
)
def test_value(params: Json, text: str, code: str | None) -> None:
    """The number is stated somewhere, within its tolerance."""
    assert outcome("number", params, text) == code


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (45, "days", "45"),
        (45, "days", "45 from delivery"),
        (45, "days", "45 calendar days"),
        (45, "days", "a 45-day window"),
        (45, "days", "45 (forty-five) days"),
        (45, "day", "FORTY-FIVE DAYS"),
        (45, "days", "30 to 45 days"),
        (30, "days", "30 to 45 days"),
        (45, "days", '{"return_days": 45}'),
        (45, "days", "Days: **45**"),
        (45, "days", "1080 hours"),
        (45, "days", "six weeks and 3 days"),
        (7, "days", "within a week"),
        (1, "year", "a one-year warranty"),
        (90, "minutes", "1 hour 30 minutes"),
        (90, "minutes", "an hour and a half"),
        (30, "minutes", "half an hour"),
        (2, "years", "24 months"),
        (70, "inches", "5 feet 10 inches"),
        (4.5, "kg", "4,500 g"),
        (20, "\u00b0C", "20 degrees Celsius"),
        (15, "%", "15 per cent"),
        (5, "$", "USD 5.00"),
        (5, "EUR", "5,00 \u20ac"),
        (2, "m", "2m"),
        (150, "minutes", "2 hours 30 minutes"),
        (150, "minutes", "2 h 30 min"),
        (150, "minutes", "It takes 2h30."),
        (150, "minutes", "2h 30m"),
        (30, "minutes", "30 min"),
        (20, "C", "20 \u00b0C"),
        (68, "F", "68\u00b0F"),
        (2, "boxes", "two large boxes"),
        (1, "box", "a box"),
        (12, "stores", "12 store locations"),
    ],
)
def test_unit_that_agrees(value: float, unit: str, text: str) -> None:
    """Common spellings, exact conversions and a bare number agree."""
    assert outcome("number", {"value": value, "unit": unit}, text) is None


@pytest.mark.parametrize(
    ("value", "unit", "text", "code"),
    [
        (45, "days", "45 weeks", "number:unit"),
        (45, "days", "45%", "number:unit"),
        (45, "days", "45 people", "number:unit"),
        (45, "days", "$45 a day", "number:unit"),
        (45, "days", '{"weeks": 45}', "number:unit"),
        (30, "days", "30 or 45 weeks", "number:unit"),
        (45, "days", "30 days", "number:other"),
        (45, "days", "45 hours and 30 minutes", "number:unit"),
        (5, "USD", "\u20ac5", "number:unit"),
        (20, "\u00b0C", "20\u00b0F", "number:unit"),
        (12, "stores", "12 employees", "number:unit"),
        (15, "%", "0.15 kg", "number:other"),
    ],
)
def test_unit_that_differs(value: float, unit: str, text: str, code: str) -> None:
    """Another unit is told apart from another number."""
    assert outcome("number", {"value": value, "unit": unit}, text) == code


def test_form_wants_the_unit_stated() -> None:
    """A bare number tells the fact, but not in the asked form."""
    params: Json = {"value": 45, "unit": "days"}
    assert outcome("number", params, "45") is None
    assert outcome("number", params, "45", "form") == "number:unit"
    assert outcome("number", params, "45 days", "form") is None


def test_tool_arguments_state_numbers() -> None:
    """A number among the arguments of a call is stated."""
    answer = Answer(tool_calls=(call("log", {"days": 45}),))
    assert outcome("number", {"value": 45, "unit": "days"}, answer) is None


@pytest.mark.parametrize(
    ("params", "finding"),
    [
        (None, "needs a value"),
        (True, "must be one number"),
        ("many", "must be one number"),
        ("30 or 45", "must be one number"),
        ("two sons and three daughters", "must be one number"),
        (float("nan"), "must be one number"),
        ({"value": 45, "tolerance": -1}, "tolerance must be"),
        ({"value": 45, "tolerance": "x%"}, "tolerance must be"),
        ({"value": 45, "unit": ""}, "unit must be text"),
        ({"value": "45 days", "unit": "weeks"}, "'days' in value, 'weeks' in unit"),
        ({"value": "$45", "unit": "EUR"}, "'$' in value, 'EUR' in unit"),
        ({"value": 45, "unit": "dayz"}, "unknown unit 'dayz'"),
        ({"value": "45 minuts"}, "unknown unit 'minuts'"),
        ({"value": 45, "final": 1}, "final must be true or false"),
    ],
)
def test_parameters_that_cannot_work(params: Json, finding: str) -> None:
    """Each is an input error where the check stands."""
    assert finding in refusal("number", params).finding


def test_a_unit_stated_twice_must_agree() -> None:
    """The unit of the value and `unit` may be two names of one."""
    assert outcome("number", {"value": "45 days", "unit": "day"}, "45 days") is None
    assert outcome("number", {"value": "$45", "unit": "USD"}, "45 dollars") is None
    assert outcome("number", {"value": "2 big boxes", "unit": "big box"}, "2") is None


def test_a_slip_in_a_unit_is_no_free_unit() -> None:
    """The hint names the unit that was meant."""
    for slip, name in (
        ("dayz", "days"),
        ("weks", "weeks"),
        ("celcius", "celsius"),
        ("Kilometrs", "kilometres"),
    ):
        hint = refusal("number", {"value": 45, "unit": slip}).hint
        assert hint == f"did you mean {name!r}?"


@pytest.mark.parametrize(
    "unit",
    [
        "boxes",
        "males",
        "moles",
        "mules",
        "votes",
        "tents",
        "files",
        "rounds",
        "pears",
        "points",
        "ponds",
        "moths",
        "tons",
        "tones",
        "quartets",
        "litters",
        "rays",
        "people",
        "weekdays",
        "weekends",
        "mils",
        "seats",
    ],
)
def test_a_free_unit_is_counted(unit: str) -> None:
    """A thing that is counted is no misspelt unit, even if it is spelled alike."""
    assert outcome("number", {"value": 45, "unit": unit}, f"45 {unit}") is None


def test_reason_gold_and_description() -> None:
    """The reason lists the numbers found; only form describes the number."""
    params: Json = {"value": 1200, "unit": "days", "tolerance": 2}
    verdict = graded("number", params, "First 7 weeks,\nthen -3 more.")
    assert verdict.reason == (
        "expected 1200 days (within 2), found '7 weeks,', '-3 more.' "
        "in 'First 7 weeks,\\nthen -3 more.'"
    )
    assert bound("number", params).gold() == ("1200", "1,200")
    assert bound("number", params).describe() == ""
    assert "1200 days" in bound("number", params, "form").describe()
    assert bound("number", params, "form").gold() == ()


@given(st.integers(-(10**12), 10**12))
def test_an_integer_is_found_however_it_is_grouped(number: int) -> None:
    """Plain and grouped digits state the same number."""
    assert outcome("number", number, f"It is {number}.") is None
    assert outcome("number", number, f"It is {number:,}.") is None


@given(st.decimals(-(10**6), 10**6, places=3))
def test_a_decimal_is_found(number: Decimal) -> None:
    """A decimal number in text is found, and no other number equals it."""
    assert outcome("number", str(number), f"about {number} km") is None
    assert outcome("number", str(number + 1), f"about {number}") == "number:other"


@given(st.integers(0, 999_999))
def test_words_say_the_number(number: int) -> None:
    """A number in words is read as that number alone."""
    said = [each.value for each in spelled_numbers(f"about {in_words(number)} boots")]
    assert said == [Decimal(number)]


_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


def in_words(number: int) -> str:
    """Return a number below a million in English words."""
    if number < 20:
        return _ONES.split()[number]
    if number < 100:
        rest = f"-{in_words(number % 10)}" if number % 10 else ""
        return _TENS.split()[number // 10 - 2] + rest
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = f" {in_words(number % size)}" if number % size else ""
    return f"{in_words(number // size)} {name}{rest}"


def test_a_denied_number_is_told_as_denied() -> None:
    """The reason shows the word that takes it back."""
    verdict = graded("number", 45, "It is not 45.")
    assert verdict.reason == "expected 45, found 'not 45.' in 'It is not 45.'"
