"""Whether a case's own passage was shown, however it was cut and named."""

from __future__ import annotations

import pytest

from pytest_llm_diagnosis.records import Context, Passage
from pytest_llm_diagnosis.retrieval import retrieved


def rank(evidence: Passage, *contexts: Context) -> int | None:
    """Return at which place the passage was shown."""
    found = retrieved([evidence], contexts, k=len(contexts))
    assert found
    return found.rank


BODY = "Unworn boots may be returned within 45 days of delivery, in their box."
GOLD = Passage(id="docs/returns.md#unworn-goods", text=f"## Unworn goods\n\n{BODY}")
OTHER = "Gift cards are valid for 30 months and are never paid out in cash."


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("docs/returns.md#unworn-goods", True),
        ("returns.md#unworn-goods", True),
        ("/srv/app/docs/returns.md#unworn-goods", True),
        ("docs\\returns.md#Unworn goods", True),
        ("docs/returns.md#worn-goods", False),
        ("other/returns.md#unworn-goods", False),
        ("docs/returns.md", False),
        ("#unworn-goods", False),
        ("", False),
    ],
)
def test_a_source_names_a_passage(source: str, named: bool) -> None:  # noqa: FBT001 - a column of the table
    """By the end of its path and the same section."""
    assert (rank(GOLD, Context(text=OTHER, source=source)) == 1) is named


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        ([BODY], True),
        ([f"{OTHER}\n{BODY.upper()}"], True),
        (["Unworn boots may be returned within 45 days of delivery"], True),
        (["Unworn boots may be returned within", "returned within 45 days of"], False),
        (["returned within 45 days of", BODY[:40], BODY[30:]], True),
        (["Worn boots may be returned within 20 days"], False),
        ([OTHER], False),
        ([""], False),
    ],
)
def test_words_show_a_passage(texts: list[str], shown: bool) -> None:  # noqa: FBT001 - a column of the table
    """Where half of its runs of five words stand in the contexts."""
    contexts = [Context(text=text) for text in texts]
    assert (rank(GOLD, *contexts) is not None) is shown


def test_a_file_is_named_by_its_sections() -> None:
    """Evidence that is a whole file."""
    whole = Passage(id="docs/returns.md", text="long " * 50)
    assert rank(whole, Context(text="x", source="docs/returns.md#worn")) == 1
    assert rank(whole, Context(text="x", source="docs/refunds.md#worn")) is None


def test_without_either_side_nothing_is_known() -> None:
    """No evidence: nothing is known; nothing shown: it was not."""
    assert retrieved([], [Context(text=BODY)], k=1) is None
    assert rank(GOLD) is None


def test_a_short_passage_is_known_by_all_its_words() -> None:
    """There is no run of five."""
    short = Passage(id="a.md#b", text="45 days.")
    assert rank(short, Context(text="You have 45 days.")) == 1
    assert rank(short, Context(text="You have 45 hours.")) is None
    assert rank(Passage(id="a.md#b", text="..."), Context(text="x")) is None


def test_the_rank_is_that_of_the_first_that_shows_it() -> None:
    """A piece of its section, or the first of those that do so together."""
    piece = Context(text=OTHER, source="docs/returns.md#unworn-goods/2")
    assert rank(GOLD, Context(text=OTHER), piece) == 2
    halves = [Context(text=text) for text in (OTHER, BODY[:40], BODY[30:])]
    assert rank(GOLD, *halves) == 2
