"""contains, contains_any, excludes, equals, starts_with, ends_with, fuzzy, matches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, call, graded, outcome, refusal
from pytest_llm_diagnosis.checks.normalise import exact, fold
from pytest_llm_diagnosis.records import Answer, Dimension, Json


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        ("45 days", "You have 45 days.", None),
        ("45 days", "You have 45\u00a0days.", None),
        ("45 days", "You have **45** days.", None),
        ("45 days", "You have `45`\n  days.", None),
        ("45 days", "You have 145 days.", "contains:missing"),
        ("45", "It closed in 1945.", "contains:missing"),
        ("45", "It is 3.45 m.", "contains:missing"),
        ("45", "It is 45.5 m.", "contains:missing"),
        ("45", "It costs $45.", None),
        ("PARIS", "It is paris.", None),
        ("don't", "You don\u2019t.", None),
        ('a "b"', "a \u201cb\u201d", None),
        ("2020-2024", "2020\u20132024", None),
        ("fi", "\ufb01", None),
        ("stra\u00dfe", "STRASSE", None),
        ("caf\u00e9", "cafe\u0301", None),
        ("caf\u00e9", r'{"place": "caf\u00e9"}', None),
        ("re-send", "re\u00adsend re\u2011send", None),
        ("boot", "bootleg", None),
        (["Paris", "1889"], "Paris, 1889", None),
        (["Paris", "1889"], "Paris", "contains:missing"),
        ({"text": "boot", "whole_words": True}, "bootleg", "contains:missing"),
        ({"text": "boot", "whole_words": True}, "a boot.", None),
        ({"text": "Boot", "ignore_case": False}, "a boot", "contains:missing"),
        ("Paris", "", "contains:empty"),
        ("Paris", " \n", "contains:empty"),
    ],
)
def test_contains_as_a_fact(params: Json, text: str, code: str | None) -> None:
    """A fact is found whatever its case, Unicode shape, emphasis or escapes."""
    assert outcome("contains", params, text) == code


@pytest.mark.parametrize(
    ("name", "params", "text", "code"),
    [
        ("contains", "Kind regards", "Kind regards", None),
        ("contains", "Kind regards", "kind regards", "contains:missing"),
        ("contains", "**bold**", "a **bold** word", None),
        ("contains", "a\n\nb", "a\r\n\r\nb", None),
        ("contains", "caf\u00e9", "cafe\u0301", None),
        ("excludes", "\u2014", "well-known", None),
        ("excludes", "\u2014", "well\u2014known", "excludes:present"),
        ("contains", {"text": "Kind", "ignore_case": True}, "kind", None),
        ("equals", "Paris", " Paris\n", None),
        ("equals", "Paris", "Paris.", "equals:surrounded"),
        ("equals", "Paris", '{"a": "Paris"}', "equals:surrounded"),
    ],
)
def test_wording_as_form(name: str, params: Json, text: str, code: str | None) -> None:
    """Form compares the answer as it is written, save for NFC and line ends."""
    assert outcome(name, params, text, "form") == code


@pytest.mark.parametrize(
    ("name", "params", "text", "code"),
    [
        ("contains_any", ["a1", "b2"], "only b2", None),
        ("contains_any", ["a1", "b2"], "c3", "contains_any:missing"),
        ("contains_any", ["a1"], "", "contains_any:empty"),
        ("excludes", ["a1", "b2"], "c3", None),
        ("excludes", ["a1", "b2"], "A1", "excludes:present"),
        ("excludes", "45", "1945", None),
        ("excludes", "caf\u00e9", r'["caf\u00e9"]', "excludes:present"),
        ("equals", "Paris", "paris.", None),
        ("equals", "Paris", "**Paris**", None),
        ("equals", "Paris", "Answer: Paris", None),
        ("equals", "Paris", "The answer is Paris.", None),
        ("equals", "Paris", '{"answer": "Paris"}', None),
        ("equals", "45", '```json\n{"days": 45}\n```', None),
        ("equals", "true", '{"urgent": true}', None),
        ("equals", ["Paris", "Paname"], "Paname!", None),
        ("equals", "Paris", "It is Paris.", "equals:surrounded"),
        ("equals", "Paris", "Lyon", "equals:other"),
        ("equals", "Paris", "", "equals:empty"),
        ("equals", "?", "?", None),
        ("starts_with", "Dear", "  dear customer", None),
        ("starts_with", ["Dear", "Hello"], "Hello!", None),
        ("starts_with", "Dear", "My dear", "starts_with:other"),
        ("starts_with", "Dear", "", "starts_with:empty"),
        ("ends_with", "regards", "Kind Regards\n", None),
        ("ends_with", "regards", "regards, J", "ends_with:other"),
        ("ends_with", "regards", "", "ends_with:empty"),
    ],
)
def test_wording_as_a_fact(
    name: str, params: Json, text: str, code: str | None
) -> None:
    """The other checks on wording read an answer in the same way."""
    assert outcome(name, params, text) == code


def test_facts_are_sought_in_tool_arguments() -> None:
    """What a tool call says counts as said, but only for facts."""
    answer = Answer(tool_calls=(call("log", {"note": "boots torn"}),))
    assert outcome("contains", "boots torn", answer) is None
    assert outcome("contains", "boots torn", answer, "form") == "contains:missing"
    assert outcome("excludes", "boots torn", answer) == "excludes:present"


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        ("return boots within 45 days", "You may return the boots in 45 days", None),
        ("opened in 1987 in Leeds", "It opened in 1989 in Leeds.", "fuzzy:digits"),
        ("return boots within 45 days", "No refunds.", "fuzzy:below"),
        ("banana", "a", "fuzzy:below"),
        ("banana", "", "fuzzy:empty"),
        ({"text": "banana", "threshold": 100}, "bananas are good", None),
        ({"text": "banana", "threshold": 100}, "banaba", "fuzzy:below"),
        ({"text": "banana", "whole": True}, "banana is all I say", "fuzzy:below"),
        ({"text": "banana", "whole": True}, "Banana", None),
    ],
)
def test_fuzzy(params: Json, text: str, code: str | None) -> None:
    """A part of the answer may differ a little, never in its digits."""
    if isinstance(params, str):
        params = {"text": params, "threshold": 75}
    assert outcome("fuzzy", params, text) == code


@pytest.mark.parametrize(
    ("name", "params", "text", "code"),
    [
        ("matches", r"\bA-\d+", "order A-17", None),
        ("matches", r"\bA-\d+", "order B-17", "matches:none"),
        ("matches", "x", "", "matches:empty"),
        ("matches", {"pattern": "abc", "whole": True}, "abc\n", None),
        ("matches", {"pattern": "abc", "whole": True}, "abcd", "matches:none"),
        ("matches", {"pattern": "ABC", "ignore_case": True}, "abc", None),
        ("matches", r"\p{Lu}", "\u00c9", None),
        ("matches", "caf\u00e9", r'"caf\u00e9"', None),
        ("not_matches", r"\d", "none", None),
        ("not_matches", r"\d+", "it is 45", "not_matches:present"),
        ("not_matches", r"\d", "", None),
    ],
)
def test_patterns(name: str, params: Json, text: str, code: str | None) -> None:
    """A pattern is searched, or must cover the answer with `whole`."""
    assert outcome(name, params, text) == code


@pytest.mark.parametrize("name", ["matches", "not_matches"])
def test_a_catastrophic_pattern_is_undecided(name: str) -> None:
    """A pattern that backtracks for ever is ungraded, not failed."""
    verdict = graded(name, r"^(a|a)*$", "a" * 60 + "b")
    assert (verdict.passed, verdict.code) == (None, f"{name}:timeout")


@pytest.mark.parametrize(
    ("name", "params", "finding"),
    [
        ("contains", None, "needs a value"),
        ("contains", "", "texts that are not empty"),
        ("contains", 45, "must be text or a list"),
        ("contains", ["a", 1], "texts that are not empty"),
        ("contains", "\u200b ", "nothing that could be seen"),
        ("contains", {"text": "a", "ignore_case": "yes"}, "true or false"),
        ("fuzzy", {"text": "a", "threshold": 120}, "0 to 100"),
        ("fuzzy", {"text": "a", "threshold": 0.85}, "threshold is in percent"),
        ("fuzzy", {"text": "a", "threshold": 1}, "threshold is in percent"),
        ("fuzzy", {"text": "a", "threshold": -1}, "number from 0"),
        ("fuzzy", "  ", "nothing that could be seen"),
        ("matches", "(", "broken regular expression '('"),
        ("matches", 3, "pattern must be text"),
    ],
)
def test_parameters_that_cannot_work(name: str, params: Json, finding: str) -> None:
    """Each is an input error where the check stands."""
    assert finding in refusal(name, params).finding


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("contains", "GOLD"),
        ("contains_any", ["GOLD", "x"]),
        ("excludes", "GOLD"),
        ("equals", "GOLD"),
        ("fuzzy", "GOLD"),
        ("matches", "GOLD"),
        ("not_matches", "GOLD"),
        ("starts_with", "GOLD"),
        ("ends_with", "GOLD"),
    ],
)
def test_descriptions_keep_facts_and_tell_form(name: str, params: Json) -> None:
    """A facts check never describes its gold; a form check asks for it."""
    assert bound(name, params).describe() == ""
    assert "GOLD" in bound(name, params, "form").describe()
    assert bound(name, params, "form").gold() == ()


def test_gold_is_what_gives_the_answer_away() -> None:
    """Expected texts are gold; forbidden ones and patterns are not."""
    assert bound("contains", ["a1", "b2"]).gold() == ("a1", "b2")
    assert bound("fuzzy", "a1").gold() == ("a1",)
    assert bound("excludes", "a1").gold() == ()
    assert bound("matches", "a1").gold() == ()


def test_a_reason_shows_what_was_expected_and_found() -> None:
    """Long found text is cut with a count, control characters are escaped."""
    verdict = graded("contains", "Paris", "\x1b[31m" + "x" * 500)
    assert verdict.reason.startswith(r"expected 'Paris', found '\x1b[31mxxx")
    assert verdict.reason.endswith("(385 more characters)")


@given(st.text())
def test_folding_is_idempotent(text: str) -> None:
    """Folded text folds to itself."""
    once = fold(text)
    assert fold(once) == once


@given(st.text())
def test_exact_text_is_stable(text: str) -> None:
    """Text as written is unchanged by being read again."""
    assert exact(exact(text)) == exact(text)


@given(st.text(), st.sampled_from(["facts", "form"]))
def test_a_text_contains_itself(text: str, dimension: Dimension) -> None:
    """Whatever can be seen is found in itself, and `excludes` disagrees."""
    shape = fold if dimension == "facts" else exact
    if not shape(text) or not text.strip():
        return
    assert outcome("contains", text, text, dimension) is None
    assert outcome("equals", text, text, dimension) is None
    assert outcome("excludes", text, text, dimension) == "excludes:present"


def test_a_share_for_a_threshold_is_told_in_percent() -> None:
    """0.85 would let anything pass; the hint says what was meant."""
    problem = refusal("fuzzy", {"text": "a b", "threshold": 0.85})
    assert problem.finding.startswith("fuzzy: threshold is in percent")
    assert problem.hint == "in percent; write 85"
