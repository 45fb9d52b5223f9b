"""Checks that count: sentences, paragraphs, letters and words; letter_case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, graded, outcome, refusal
from pytest_llm_diagnosis.checks.letters import capital_words
from pytest_llm_diagnosis.checks.sentences import sentences
from pytest_llm_diagnosis.records import Json

COUNTED = [
    "sentences",
    "paragraphs",
    "capital_words",
    "placeholders",
    "highlights",
    "sections",
    "headings",
    "bullets",
    "numbered",
    "tables",
    "code_blocks",
]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("  \n ", 0),
        ("No end", 1),
        ("One. Two! Three? Four", 4),
        ("Dr. Sand met Mrs. Pool at 5 p.m. sharp.", 1),
        ("Call at 5 p.m. The shop is open.", 2),
        ("J. R. Sand wrote it. I did not.", 2),
        ("So did I. You know it.", 2),
        ("Boots, coats, etc. are dry.", 1),
        ("It costs 4.50 dollars. Or 3.", 2),
        ("See example.com for more.", 1),
        ('"Stop!" he said. "Why?" she asked.', 4),
        ("He left (at last.) She stayed.", 2),
        ("Wait... it goes on.", 1),
        ("Wait... The end is near.", 2),
        ("Really?! Yes.", 2),
        ("A title\nand a line without an end", 1),
        ("- one\n- two\n- three", 1),
        ("We sell boots (e.g. for rain) and coats.", 1),
        ("Acme Inc. makes boots. They last.", 2),
        ("**Bold.** Then more.", 2),
    ],
)
def test_sentences(text: str, count: int) -> None:
    """Abbreviations, initials and decimals end no sentence; line ends neither."""
    assert len(sentences(text)) == count
    assert outcome("sentences", count, text, "form") is None
    assert outcome("sentences", count + 1, text, "form") == "sentences:under"


@given(st.lists(st.sampled_from(["Boots are dry", "It rained", "We left"]), min_size=1))
def test_as_many_sentences_as_were_joined(parts: list[str]) -> None:
    """Sentences joined by full stops are found again, each as it was."""
    assert sentences(" ".join(f"{part}." for part in parts)) == tuple(
        f"{part}." for part in parts
    )


@given(st.text())
def test_sentences_lose_no_character(text: str) -> None:
    """Only spaces stand between the sentences of any text."""
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


THREE = "One.\n\nTwo.\n \nThree."


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        (3, THREE, None),
        (2, THREE, "paragraphs:over"),
        ({"at_least": 4}, THREE, "paragraphs:under"),
        ({"at_most": 2}, "One\ntwo", None),
        ({"exactly": 2, "separator": "***"}, "a\n***\nb", None),
        ({"exactly": 2, "separator": "***"}, "***\na***b\n***", None),
        ({"exactly": 2, "separator": "***"}, "a\n***\n***\nb", "paragraphs:empty"),
        ({"exactly": 2, "separator": "***"}, "a\n\nb", "paragraphs:under"),
        ({"exactly": 2, "different": True}, "a\n\nb", None),
        ({"exactly": 2, "different": True}, "a\n\na", "paragraphs:same"),
        ({"number": 2, "first_word": "two"}, THREE, None),
        ({"number": 2, "first_word": "Two"}, "One\n\n**two**: it", None),
        ({"number": 2, "first_word": "tw"}, THREE, "paragraphs:first_word"),
        ({"number": 4, "first_word": "x"}, THREE, "paragraphs:under"),
        ({"at_least": 1}, "", "paragraphs:under"),
        ({"exactly": 1, "first_word": "don't"}, "Don\u2019t go.", None),
    ],
)
def test_paragraphs(params: Json, text: str, code: str | None) -> None:
    """Blank lines or a separator divide; empty ends are forgiven."""
    assert outcome("paragraphs", params, text, "form") == code


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        ({"text": "boots"}, "Two boots.", None),
        ({"text": "boots"}, "Two shoes.", "occurrences:under"),
        ({"text": "a", "exactly": 3}, "banana", None),
        ({"text": "a", "exactly": 3}, "Anna", "occurrences:under"),
        ({"text": "A", "exactly": 2, "ignore_case": True}, "Anna", None),
        ({"text": "#", "at_most": 1}, "#a #b", "occurrences:over"),
        ({"text": "cat", "at_most": 0, "whole_words": True}, "category", None),
        ({"text": "cat", "exactly": 1, "whole_words": True}, "a cat!", None),
        ({"text": "\u00e9", "exactly": 1}, "cafe\u0301", None),
    ],
)
def test_occurrences(params: Json, text: str, code: str | None) -> None:
    """Letters and words are counted as they stand, composed alike."""
    assert outcome("occurrences", params, text, "form") == code


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("all quiet", 0),
        ("I saw A and NASA", 3),
        ("COVID-19 and U.S. rules", 2),
        ("DON'T", 2),
        ("I\u2019ll go", 1),
        ("(NASA), [ESA]: JAXA!", 3),
        ("NASA's plan", 1),
        ("RED--BLUE", 2),
        ("Mixed ABCd 123", 0),
        ("2D, 3D", 2),
    ],
)
def test_capital_words(text: str, count: int) -> None:
    """A word counts when each of its letters is a capital."""
    assert capital_words(text) == count


@pytest.mark.parametrize(
    ("case", "text", "code"),
    [
        ("upper", "STOP, 3 BOATS!", None),
        ("upper", "STOP now", "letter_case:mixed"),
        ("lower", "stop now \u00e9t\u00e9", None),
        ("lower", "stop NOW", "letter_case:mixed"),
        ("lower", "123", "letter_case:empty"),
        ("upper", "", "letter_case:empty"),
    ],
)
def test_letter_case(case: str, text: str, code: str | None) -> None:
    """Digits and signs have no case; some letter must."""
    assert outcome("letter_case", case, text, "form") == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("One two three four five. Six.", None),
        ("One two three four five six.", "max_sentence_words:over"),
        ("# One two three\n\nfour five six", None),
        ("- one two three\n- four five six", None),
        ("```\none two three four five six\n```", None),
    ],
)
def test_sentence_length(text: str, code: str | None) -> None:
    """Headings, items and paragraphs end a sentence here; code is no prose."""
    assert outcome("max_sentence_words", 5, text, "form") == code


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize(
    ("params", "finding"),
    [
        (None, "needs a value"),
        (-1, "whole number"),
        ({"exactly": 2, "at_most": 3}, "needs exactly, or at_least"),
        ({"at_least": 3, "at_most": 2}, "at_least 3 is more than at_most 2"),
    ],
)
def test_bounds_that_cannot_work(name: str, params: Json, finding: str) -> None:
    """Each is an input error where the check stands."""
    assert finding in refusal(name, params, "form").finding


@pytest.mark.parametrize(
    ("name", "params", "finding"),
    [
        ("paragraphs", {"exactly": 1, "number": 2, "first_word": "a"}, "paragraph 2"),
        ("paragraphs", {"exactly": 1, "separator": " "}, "more than spaces"),
        ("occurrences", {"text": ""}, "must be text"),
        ("letter_case", "title", "must be upper or lower"),
        ("max_words", {"words": 3, "parts": "yes"}, "true or false"),
    ],
)
def test_parameters_that_cannot_work(name: str, params: Json, finding: str) -> None:
    """Each is an input error where the check stands."""
    assert finding in refusal(name, params, "form").finding


@pytest.mark.parametrize(
    ("params", "described", "reason"),
    [
        (2, "Use exactly 2 sentences.", "expected exactly 2 sentences, found 0"),
        ({"at_least": 1}, "Use at least 1 sentence.", "at least 1 sentence, found 0"),
        ({"at_least": 2, "at_most": 4}, "Use 2 to 4 sentences.", "found 0"),
    ],
)
def test_bounds_in_words(params: Json, described: str, reason: str) -> None:
    """The instruction and the reason say the same bounds."""
    assert bound("sentences", params, "form").describe() == described
    assert reason in graded("sentences", params, "", "form").reason


def test_words_in_parts() -> None:
    """`parts` counts both halves of a hyphenated word, the default one."""
    text = "A well-known rule; it's old."
    assert outcome("max_words", 5, text, "form") is None
    assert outcome("max_words", {"words": 6, "parts": True}, text, "form") == (
        "max_words:over"
    )
    assert outcome("min_words", {"words": 7, "parts": True}, text, "form") is None


def test_the_end_of_a_quoted_answer() -> None:
    """A closing quotation mark hides no last words."""
    assert outcome("ends_with", "Goodbye.", '"We left. Goodbye."', "form") is None
    assert outcome("ends_with", "Goodbye.", '"Goodbye." We left.', "form")
