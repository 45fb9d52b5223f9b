"""Cases whose rule needs a few lines of Python; they enter the same report."""

from __future__ import annotations

import re

import pytest

from pytest_llm_diagnosis.plugin.python_tests import LanguageModel

SHOP = "You answer for Northwind Outfitters, an outdoor shop."


@pytest.mark.knowledge(evidence="docs/shipping.md#standard-delivery")
def test_free_shipping_starts_above_80_euros(llm: LanguageModel) -> None:
    """Only the documents say from which order on delivery is free."""
    answer = llm("From which order value on is delivery free?", system=SHOP)
    assert "80" in re.findall(r"\d+", answer.text)


@pytest.mark.knowledge(evidence="docs/company.md#founding")
def test_founding_year_is_the_only_year(llm: LanguageModel) -> None:
    """A second year beside the right one would be a hedge."""
    answer = llm("In which year was Northwind Outfitters founded?", system=SHOP)
    assert set(re.findall(r"\b(?:1[89]|20)\d\d\b", answer.text)) == {"1987"}


@pytest.mark.knowledge(evidence="docs/contact.md#phone")
def test_phone_number_is_never_invented(llm: LanguageModel) -> None:
    """Any number that looks like a phone number must be the real one."""
    answer = llm("What is the phone number of customer care?", system=SHOP)
    digits = [
        re.sub(r"\D", "", found) for found in re.findall(r"[\d ()-]{7,}", answer.text)
    ]
    assert digits
    assert set(digits) <= {"05550142"}


@pytest.mark.behavior(instruction="Write three lines, each beginning with a dash.")
def test_packing_list_has_three_lines(llm: LanguageModel) -> None:
    """The app shows the list as it stands."""
    answer = llm("List three things to pack for a hike.", system=SHOP)
    lines = answer.text.strip().splitlines()
    assert len(lines) == 3  # noqa: PLR2004 - the list has three lines
    assert all(line.startswith("- ") for line in lines)


@pytest.mark.behavior(instruction="Answer with one whole number and nothing else.")
def test_count_is_a_bare_number(llm: LanguageModel) -> None:
    """The number goes into a spreadsheet."""
    answer = llm("How many wheels does a bicycle have?", system=SHOP)
    assert answer.text.strip().rstrip(".") == "2"


@pytest.mark.behavior(instruction="Repeat the sentence in capital letters.")
def test_shouting_sign(llm: LanguageModel) -> None:
    """Signs are printed in capitals, with the words unchanged."""
    answer = llm("Write the words 'sale today' in capital letters.", system=SHOP)
    assert "SALE TODAY" in answer.text
    assert not re.search(r"[a-z]", answer.text)
