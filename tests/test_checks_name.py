"""name: one person or thing in its many spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, outcome, refusal
from pytest_llm_diagnosis.records import Json


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Marie Curie", "It was Marie Curie."),
        ("Marie Curie", "Marie Curie's notebooks glow."),
        ("Marie Curie", "CURIE, MARIE (1867-1934)"),
        ("Curie, Marie", "It was Marie Curie."),
        ("Marie Curie", "M. Curie found it."),
        ("M. Curie", "Marie Curie found it."),
        ("Marie Curie", "Marie Sk\u0142odowska Curie found it."),
        ("Marie Sk\u0142odowska Curie", "Marie Curie found it."),
        ("Marie Sklodowska Curie", "Marie Sk\u0142odowska-Curie found it."),
        ("Marie Curie", "Prof. Marie Curie, PhD"),
        ("Dr. Marie Curie", "Marie Curie"),
        ("Ren\u00e9 Ren\u00e9e M\u00fcller", "It was Rene Muller."),
        ("J. R. R. Tolkien", "John Ronald Reuel Tolkien wrote it."),
        ("J.R.R. Tolkien", "J R R Tolkien wrote it."),
        ("Martin Luther King Jr.", "Martin Luther King spoke."),
        ("Sammy Davis, Jr.", "Sammy Davis sang."),
        ('"Kate" Mulgrew', "Kate Mulgrew plays her."),
        ("Keeley Clare Julia Hawes", "by Keeley Hawes\u2076."),
        ("The Old Oak", "At old oak."),
        ("Vincent van Gogh", "Vincent Willem van Gogh painted it."),
        ("Vincent Gogh", "Vincent van Gogh painted it."),
        ("Zagreb, Croatia", "in Zagreb, Croatia"),
        ("Neamt County, Cluj, Romania", "Neam\u021b County, Cluj, Romania"),
        ("Chief Justice of Oslo", "She was Chief Justice of Oslo."),
        ("31 King Street East", "at 31 King Street East, Oslo"),
        ("The Ecstasy of St. Kara", "It is The Ecstasy of St. Kara."),
        ("University of Chicago", "She left the University of Chicago in 1980."),
        ("Simon & Garfunkel", "Simon and Garfunkel sang it."),
        ("Apollo 11", "It was Apollo 11."),
        ("Old Trafford", "**Old Trafford**, in Manchester"),
        ("AB+", "The group is AB+."),
        ("A", "A"),
        ("Ham", '{"winner": "Ham"}'),
    ],
)
def test_named(name: str, text: str) -> None:
    """Diacritics, initials, titles, articles and the order do not matter."""
    assert outcome("name", name, text) is None


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("Marie Curie", "Pierre Curie found it.", "name:partial"),
        ("Marie Curie", "Marie met Pierre. Curie wrote later.", "name:partial"),
        ("Marie Anna Curie", "Marie Berta Curie", "name:partial"),
        ("Marie Curie", "Marie Antoinette", "name:missing"),
        ("Marie Curie", "P. Curie", "name:partial"),
        ("Marie Curie", "", "name:empty"),
        ("Apollo 11", "It was Apollo 12.", "name:missing"),
        ("Apollo 11", "11 men of the Apollo", "name:missing"),
        ("Ham", "Hamburg", "name:missing"),
        ("University of Chicago", "Chicago", "name:missing"),
    ],
)
def test_not_named(name: str, text: str, code: str) -> None:
    """Another person of that family, or half a name, is not the one."""
    assert outcome("name", name, text) == code


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        (["Ada Byron", "Ada Lovelace"], "Ada Lovelace", None),
        ({"text": "Ada Lovelace", "surname": True}, "Lovelace did.", None),
        ({"text": "Ada Lovelace", "surname": True}, "Ada did.", "name:missing"),
    ],
)
def test_options(params: Json, text: str, code: str | None) -> None:
    """A list holds aliases; a last name may do."""
    assert outcome("name", params, text) == code


def test_what_it_says_of_itself() -> None:
    """A fact is not given away; a demand of form is stated."""
    assert bound("name", "Ada Lovelace").describe() == ""
    assert bound("name", "Ada Lovelace").gold() == ("Ada Lovelace",)
    demand = bound("name", "Ada Lovelace", "form").describe()
    assert demand == 'Mention "Ada Lovelace" by name.'


def test_a_name_without_words() -> None:
    """Punctuation names nobody."""
    assert "holds no word" in refusal("name", "?!").finding


@given(st.lists(st.text("abcdefgh", min_size=2, max_size=6), min_size=2, max_size=4))
def test_a_name_names_itself(parts: list[str]) -> None:
    """Whatever the name, it stands for itself, turned round as well."""
    words = [part.capitalize() for part in parts]
    name = " ".join(words)
    assert outcome("name", name, f"It was {name}.") is None
    turned = f"{words[-1]}, {' '.join(words[:-1])}"
    assert outcome("name", turned, f"It was {name}.") is None
