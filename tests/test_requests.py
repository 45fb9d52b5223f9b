"""Requests: what each variant gives, what each arm changes, what the key covers."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pytest_llm_diagnosis.errors import Location
from pytest_llm_diagnosis.records import (
    Answer,
    Arm,
    Case,
    CheckSpec,
    Context,
    Endpoint,
    Examples,
    Ideal,
    Passage,
    Request,
    Retrieve,
    ToolCall,
    Variant,
    Verdict,
)
from pytest_llm_diagnosis.requests import (
    FREE_FORM,
    NO_DEMAND,
    ArmUnavailableError,
    Prepared,
    RequestPlanner,
)

FILE = Path("/suite/a.eval.yaml")
PLACE = Location(path=FILE)
BASE = Variant(
    name="base",
    location=Location(path=Path("/suite/llm_variants.yaml")),
    kind="prompt",
    written=Endpoint(model="openai/m", params={"temperature": 0, "max_tokens": 9}),
)


@dataclass(frozen=True)
class Stub:
    """A bound check that only says what it would say."""

    spec: CheckSpec
    golds: tuple[str, ...] = ()
    demand: str = ""

    def grade(self, answer: Answer) -> Verdict:
        """Never called here."""
        raise AssertionError(answer)

    def describe(self) -> str:
        """Return the demand."""
        return self.demand

    def gold(self) -> tuple[str, ...]:
        """Return the gold texts."""
        return self.golds


def spec(name: str, dimension: str = "form") -> CheckSpec:
    """Return a check as written."""
    return CheckSpec(
        name=name,
        params=None,
        dimension="facts" if dimension == "facts" else "form",
        location=PLACE,
        folder=FILE.parent,
        root=FILE.parent,
    )


def prepared(name: str, gold: str = "", ideal: str = "", **keys: object) -> Prepared:
    """Return a case that asks its own name."""
    json_form = spec("json")
    case = Case(
        id=name,
        mark="knowledge",
        path=FILE,
        line=1,
        messages=({"role": "user", "content": f"{name}?"},),
        form=(json_form,),
        ideal=Ideal(text=ideal) if ideal else None,
    )
    case = replace(case, **keys)  # type: ignore[arg-type]
    checks = (
        Stub(json_form, demand="Answer with JSON."),
        Stub(spec("contains", "facts"), golds=(gold,) if gold else ()),
    )
    return Prepared.of(f"a.eval.yaml::{name}", case, checks)


class Shelf:
    """A retriever that always finds the same passage."""

    def search(self, query: str, top_k: int) -> tuple[Context, ...]:
        """Return one passage that names the query."""
        return (Context(text=f"About {query}", source="docs/a.md", score=float(top_k)),)


def ask(
    case: Prepared,
    variant: Variant = BASE,
    arm: Arm = "first",
    trial: int = 0,
    suite: tuple[Prepared, ...] = (),
) -> Request:
    """Return the case's request among a suite."""
    planner = RequestPlanner((case, *suite), lambda _: Shelf(), seed=7)
    return planner.request(case, variant, arm=arm, trial=trial)


def told(request: Request) -> list[tuple[object, object]]:
    """Return the request's turns as pairs."""
    return [(turn["role"], turn["content"]) for turn in request.messages]


def test_a_plain_case_asks_its_messages_with_the_system_prompts() -> None:
    """The case's system prompt comes first, the variant's after it."""
    request = ask(
        prepared("q", system="You are Ann."), replace(BASE, system="Be brief.")
    )
    assert told(request) == [("system", "You are Ann.\n\nBe brief."), ("user", "q?")]
    assert request.params == {"temperature": 0, "max_tokens": 9}


def test_the_corpus_comes_first_and_is_the_same_for_every_case() -> None:
    """A long context opens the prompt, so that providers can cache it."""
    variant = replace(BASE, context="# Everything")
    for name in ("a", "b"):
        system = ask(prepared(name, system="You are Ann."), variant).messages[0]
        assert system["content"] == "# Everything\n\nYou are Ann."


def test_retrieved_passages_open_the_question_and_are_kept() -> None:
    """What was retrieved stands in the prompt and in the request's contexts."""
    variant = replace(BASE, retrieve=Retrieve(documents=(), top_k=2))
    request = ask(prepared("q"), variant)
    assert "About q?" in str(request.messages[-1]["content"])
    assert request.contexts == (
        Context(text="About q?", source="docs/a.md", score=2.0),
    )


GOLD = Passage(id="docs/b.md", text="Boots: 45 days.")


@pytest.mark.parametrize(
    ("arm", "system", "last"),
    [
        ("R", "You are Ann.", "q?"),
        ("F", "You are Ann.", f"q?\n\n{FREE_FORM}"),
        ("S", "You are Ann.", "q?\n\nUse JSON."),
        (
            "E",
            "You are Ann.",
            "Use this information to answer:\n\nBoots: 45 days.\n\nq?",
        ),
        (
            "EF",
            "You are Ann.",
            f"Use this information to answer:\n\nBoots: 45 days.\n\nq?\n\n{FREE_FORM}",
        ),
        (
            "ES",
            "You are Ann.",
            "Use this information to answer:\n\nBoots: 45 days.\n\nq?\n\nUse JSON.",
        ),
    ],
)
def test_each_arm_changes_one_thing(arm: Arm, system: str, last: str) -> None:
    """Free form drops the demands, S states the instruction, E shows the passage."""
    case = prepared(
        "q",
        system="You are Ann.",
        instruction="Use JSON.",
        evidence=(GOLD,),
        tools=({"type": "function"},),
    )
    request = ask(case, arm=arm)
    assert told(request) == [("system", system), ("user", last)]
    assert bool(request.tools) is ("F" not in arm)
    assert request.contexts == (
        (Context(text=GOLD.text, source=GOLD.id),) if "E" in arm else ()
    )


@pytest.mark.parametrize(
    ("said", "demanded", "system"),
    [
        ("You are Ann.", "Be brief.", ["You are Ann."]),
        (None, "Be brief.", [NO_DEMAND]),
        (None, None, []),
    ],
)
def test_free_form_drops_what_the_variant_demands(
    said: str | None, demanded: str | None, system: list[str]
) -> None:
    """What the case says of itself stays, and no place is left to fill."""
    variant = replace(BASE, system=demanded)
    request = ask(prepared("q", system=said), variant, "F")
    assert [text for role, text in told(request) if role == "system"] == system


def test_the_gold_passage_stands_alone() -> None:
    """E replaces what a variant retrieves and the corpus it carries."""
    variant = replace(BASE, retrieve=Retrieve(documents=()), context="# Everything")
    text = str(told(ask(prepared("q", evidence=(GOLD,)), variant, "E")))
    assert "Boots: 45 days." in text
    assert "About q?" not in text
    assert "# Everything" not in text


def test_form_checks_speak_where_there_is_no_instruction() -> None:
    """S falls back to what the form checks demand."""
    assert told(ask(prepared("q"), arm="S"))[-1] == ("user", "q?\n\nAnswer with JSON.")


OTHERS = tuple(
    prepared(f"other-{n}", gold=f"gold-{n}", ideal=f"ideal-{n}") for n in range(6)
)


def test_examples_are_ideal_answers_of_other_cases() -> None:
    """X shows three questions with their ideals, each with the instruction."""
    turns = told(ask(prepared("q", gold="secret"), arm="X", suite=OTHERS))
    assert [role for role, _ in turns] == ["user", "assistant"] * 3 + ["user"]
    for question, answer in zip(turns[:-1:2], turns[1::2], strict=True):
        number = str(answer[1]).removeprefix("ideal-")
        assert question == ("user", f"other-{number}?\n\nAnswer with JSON.")


def test_examples_differ_between_asks_and_repeat_between_runs() -> None:
    """The draw is fixed by seed, case and ask."""
    draws = [told(ask(prepared("q"), arm="X", trial=n, suite=OTHERS)) for n in range(4)]
    assert draws[0] == told(ask(prepared("q"), arm="X", suite=OTHERS))
    assert len({str(draw) for draw in draws}) > 1


@pytest.mark.parametrize(
    "leak",
    [
        {"gold": "gold-0"},
        {"gold": "IDEAL-0"},
        {"evidence": (GOLD,)},
        {"cluster": "returns"},
    ],
    ids=["same gold", "gold in the ideal", "same evidence", "same cluster"],
)
def test_examples_never_give_the_answer_away(leak: dict[str, object]) -> None:
    """A candidate that shares gold, evidence or cluster is never shown."""
    shared = {key: value for key, value in leak.items() if key != "gold"}
    leaking = prepared("leak", "gold-0", "ideal-0", **shared)
    case = prepared("q", str(leak.get("gold", "")), "", **shared)
    for trial in range(10):
        texts = str(
            told(ask(case, arm="X", trial=trial, suite=(leaking, *OTHERS[1:4])))
        )
        assert "ideal-0" not in texts


def test_an_example_of_tool_calls_is_a_call_and_its_result() -> None:
    """A tool call is shown as providers write it."""
    call = ToolCall(name="refund", arguments={"order": 1})
    caller = prepared("caller", ideal="x")
    caller = replace(caller, case=replace(caller.case, ideal=Ideal(tool_calls=(call,))))
    variant = replace(BASE, examples=Examples(count=1))
    *_, assistant, result, _ = ask(prepared("q"), variant, suite=(caller,)).messages
    made = assistant["tool_calls"]
    assert json.loads(json.dumps(made))[0]["function"] == {
        "name": "refund",
        "arguments": '{"order": 1}',
    }
    assert result["role"] == "tool"


@pytest.mark.parametrize(
    ("arm", "reason"),
    [
        ("E", "no evidence"),
        ("S", "no instruction"),
        ("X", "only 0 other cases"),
        ("EX", "no evidence"),
    ],
)
def test_an_arm_without_its_means_cannot_be_asked(arm: Arm, reason: str) -> None:
    """What an arm would add must exist."""
    bare = prepared("q", instruction=None)
    bare = replace(bare, form_demand="" if arm == "S" else "Answer with JSON.")
    with pytest.raises(ArmUnavailableError, match=reason):
        ask(bare, arm=arm)


def test_equal_requests_have_equal_keys() -> None:
    """The key depends on nothing but the request."""
    assert ask(prepared("q")).key == ask(prepared("q")).key


@pytest.mark.parametrize(
    "other",
    [
        ask(prepared("p")),
        ask(prepared("q"), trial=1),
        ask(prepared("q"), arm="R"),
        ask(prepared("q", params={"temperature": 1})),
        ask(prepared("q"), replace(BASE, written=Endpoint(model="openai/n"))),
        ask(prepared("q"), replace(BASE, revision="2")),
    ],
    ids=["messages", "trial", "arm", "params", "model", "revision"],
)
def test_the_key_covers_what_is_asked(other: Request) -> None:
    """Whatever changes the question or whom it is put to changes the key."""
    assert other.key != ask(prepared("q")).key


@pytest.mark.parametrize(
    "same",
    [
        replace(BASE, name="renamed"),
        replace(BASE, live=Endpoint(model="openai/m", api_key="secret")),
        replace(BASE, max_concurrency=1),
        replace(BASE, lane="litellm"),
    ],
    ids=["name", "live endpoint", "cap", "lane"],
)
def test_the_key_leaves_out_what_does_not_matter(same: Variant) -> None:
    """Neither a secret, nor a port, nor a cap, nor a lane changes the key."""
    assert ask(prepared("q"), same).key == ask(prepared("q")).key


def test_a_lone_surrogate_has_a_key() -> None:
    """Hostile text cannot break the key."""
    hostile = prepared("q", messages=({"role": "user", "content": "\ud800"},))
    assert len(ask(hostile).key) == 64
