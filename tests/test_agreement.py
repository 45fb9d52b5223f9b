"""Whether an answer agrees with the reference that its check did not find in it."""

from __future__ import annotations

import time

import pytest

from pytest_llm_diagnosis.probing.agreement import agree


@pytest.mark.parametrize(
    ("text", "ideal", "question"),
    [
        ("The tent weighs 2.5 kilograms.", "2.5 kg", "How heavy is the tent?"),
        ("It opened on 4 June 1987.", "June 4, 1987", "When did it open?"),
        ("It opened on June 4th, 1987.", "June 4, 1987", "When did it open?"),
        ("You get forty-five days.", "45 days", ""),
        ("That is season 8.", "the eighth season", ""),
        ("Anna Berg runs it.", "Anna Katharina Berg", "Who runs it?"),
        ("Dmitry Petrov drew it.", "Dmitri Petrov", "Who drew it?"),
        ("The churches in Galatia got it.", "the churches of Galatia", ""),
        ("The customers return worn boots.", "customer returns", ""),
        (
            "Of course! Worn boots can be exchanged, and that is free. " * 3,
            "exchanged for free",
            "What about worn boots?",
        ),
        ("They may not be returned.", "They cannot be returned.", ""),
    ],
)
def test_agreement(text: str, ideal: str, question: str) -> None:
    """Spelling, order, endings and what the question says do not matter."""
    assert agree(text, ideal, question)


@pytest.mark.parametrize(
    ("text", "ideal", "question"),
    [
        ("", "45 days", ""),
        ("It opened on 4 June 1989.", "June 4, 1987", "When did it open?"),
        ("You get 45 weeks.", "45 days", ""),
        ("Customers have 45 days", "45 days from delivery", ""),
        ("Bernd Berg runs it.", "Anna Katharina Berg", "Who runs it?"),
        ("They may be returned.", "They cannot be returned.", ""),
        ("The boots were brown.", "The boots are waterproof.", "Are the boots dry?"),
        ("45 " + "and much else " * 20 + " days", "45 days", ""),
        ("The boots, the boots, the boots.", "Vibram soles", "What of the boots?"),
    ],
)
def test_disagreement(text: str, ideal: str, question: str) -> None:
    """Other numbers, a denial, scattered words or the question's own do not agree."""
    assert not agree(text, ideal, question)


@pytest.mark.parametrize("piece", ["Anna ", "45 days ", "1", "one ", "\u00e9\u2014"])
def test_hostile_answers(piece: str) -> None:
    """A megabyte takes no longer than its beginning."""
    started = time.process_time()
    agree(piece * (1_000_000 // len(piece)), "Anna Berg sent 45 days of notes")
    assert time.process_time() - started < 1.0
