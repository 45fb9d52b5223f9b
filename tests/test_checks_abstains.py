"""abstains: an honest "I do not know", told from hedging and from answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, call, graded, outcome, refusal
from pytest_llm_diagnosis.records import Answer


@pytest.mark.parametrize(
    "text",
    [
        "I don't know.",
        "I don\u2019t know, the sources don\u2019t say.",
        "I do not know the answer to that question.",
        "I don't know why: the documents do not say.",
        "I don't know how long it takes: ask support.",
        "I don't know how that works: ask support.",
        "I'm not sure. Please contact customer support for more details.",
        "I have no idea.",
        "We do not know.",
        "Nobody knows.",
        "Unknown",
        "idk",
        "It's not clear from the text.",
        "The passage doesn't say who founded it, only that it was founded in 1987.",
        "N/A",
        "The answer is unknown.",
        '{"answer": "I don\'t know"}',
        '{"answer": null}',
        '{"answer": "not stated", "source": "none"}',
        "The documents do not say how long it takes.",
        "The provided context does not mention a warranty period for tents.",
        "I'm sorry, but I don't have information about that.",
        "I'm afraid the documents don't mention it.",
        "There is no information in the documents about gift cards.",
        "This is not mentioned in the sources.",
        "It is not specified in the policy.",
        "The policy does not state whether tents can be returned.",
        "It's unclear from the documents whether the lamp is waterproof.",
        "I cannot determine this from the given passages.",
        "I was unable to find that in the documents provided.",
        "I could not find any mention of a student discount in the documents.",
        "There isn't enough information to answer.",
        "That information isn't included in the passages.",
        "The Puffin tent is a luxury product, and the answer is not available.",
        "This information is unavailable.",
        "Neither document mentions the founder's middle name.",
        "As an AI language model, I do not have access to that information.",
        "No, the documents do not mention it.",
        "I don't know how many of the 3 stores are open.",
        (
            "The sources do not specify the CEO's name. They only mention that the "
            "company was founded in 1987."
        ),
        (
            "Unfortunately, the documentation doesn't provide details on international "
            "shipping. You may want to reach out to support at 555-0199."
        ),
        (
            "The documents cover returns within 45 days, but nothing is said about "
            "gift cards."
        ),
        (
            "While the documents describe the return process, they do not specify the "
            "restocking fee."
        ),
        "Sorry, I can't answer that. Is there anything else I can help you with?",
        "I don't know.\n\nWhich of the 3 orders do you mean?",
    ],
)
def test_abstentions(text: str) -> None:
    """It may be polite, speak about the sources and point elsewhere."""
    assert outcome("abstains", None, text) is None


@pytest.mark.parametrize(
    "text",
    [
        "I don't know why, but it is 45 days.",
        "I don't know how anyone could miss it: Paris.",
        "I really don't know why you ask: Paris.",
        "I'm not sure, but I think it's 45 days.",
        "I don't know exactly. It is probably around 30 days.",
        "The documents don't say, but most likely it is Paris.",
        "The documents don't say, but you can return them within 45 days.",
        "I don't know. You can return them within 45 days.",
        "Although the sources do not mention it, the warranty lasts two years.",
        "While I don't have the exact figure, it is typically 30 days.",
        "I am not certain, however the CEO is Jane Doe.",
        "I'm not sure, but the documents say 45 days.",
        "It is 45 days, but I don't know why.",
        "I'm afraid it is 45 days, I don't know why.",
        "I don't know. It's Paris.",
        "I am not sure. The answer is Paris.",
        "Not sure. Maybe 45?",
        "I don't know. 45?",
        "I don't know. Yes, they are.",
        '{"days": 45, "note": "I don\'t know"}',
        "I don't know. " * 2000,
    ],
)
def test_hedged_answers(text: str) -> None:
    """Whoever hedges and then answers does not abstain."""
    assert outcome("abstains", None, text) == "abstains:answered"


@pytest.mark.parametrize(
    "text",
    [
        "45 days.",
        "I do not know of any limit other than 45 days.",
        "No.",
        "The answer is Paris.",
        "You can return them within 45 days.",
        "The boots are not covered by the warranty.",
        "The policy does not cover torn boots.",
        "Refunds are not given after 45 days.",
        "Shipping is not included in the price.",
        "It is not available in blue.",
        "We cannot provide refunds.",
        "We don't have blue boots.",
        "I am not able to accept returns.",
    ],
)
def test_answers(text: str) -> None:
    """A denial about the world is an answer, not an abstention."""
    assert outcome("abstains", None, text) == "abstains:none"


def test_silence_is_no_abstention() -> None:
    """Saying nothing, or calling a tool, does not say that one does not know."""
    assert outcome("abstains", None, " ") == "abstains:empty"
    assert outcome("abstains", None, Answer(tool_calls=(call("f"),))) == (
        "abstains:empty"
    )


def test_a_house_phrase_counts() -> None:
    """Further phrases may be named."""
    text = "That one goes to the trail office."
    assert outcome("abstains", None, text) == "abstains:none"
    phrases = {"phrases": ["goes to the trail office"]}
    assert outcome("abstains", phrases, text) is None
    assert "phrases" in refusal("abstains", {"phrases": []}).finding


def test_reason_and_description() -> None:
    """The reason quotes the clause that answers; any dimension is described."""
    verdict = graded("abstains", None, "I don't know. It is 45 days.")
    assert verdict.reason.endswith("found 'it is 45 days.'")
    assert bound("abstains").describe() == bound("abstains", None, "form").describe()
    assert bound("abstains").gold() == ()


@given(st.integers(2, 10**6))
def test_a_figure_after_but_is_an_answer(number: int) -> None:
    """Whatever the figure, a hedge before it is no abstention."""
    text = f"The sources do not say, but it took {number} days."
    assert outcome("abstains", None, text) == "abstains:answered"
