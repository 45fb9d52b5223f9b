"""A few_shot variant: whose examples are shown, and whose never."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_llm_diagnosis.errors import Location
from pytest_llm_diagnosis.records import (
    Case,
    Endpoint,
    Examples,
    Ideal,
    Message,
    Passage,
    Variant,
)
from pytest_llm_diagnosis.requests import Prepared, RequestPlanner
from pytest_llm_diagnosis.retrieval import Retriever

PATH = Path("a.eval.yaml")
FEW_SHOT = Variant(
    name="few_shot",
    location=Location(path=Path("llm_variants.yaml"), line=3),
    kind="examples",
    written=Endpoint(model="openai/m"),
    examples=Examples(count=3),
)
SECTION = Passage(id="docs/b.md#boots", text="Boots: 45 days.")
OTHER_SECTION = Passage(id="docs/b.md#tents", text="Tents: 30 days.")
DOCUMENT = Passage(id="docs/b.md", text="Boots: 45 days. Tents: 30 days.")


def prepared(name: str, gold: str = "", ideal: str = "", **parts: object) -> Prepared:
    """Return a case that asks `name?`, with a reference answer if there is one."""
    case = Case(
        id=name,
        mark="behavior",
        path=PATH,
        line=1,
        messages=({"role": "user", "content": f"{name}?"},),
        ideal=Ideal(text=ideal) if ideal else None,
    )
    return Prepared(
        nodeid=f"a.eval.yaml::{name}",
        case=replace(case, **parts),  # type: ignore[arg-type]
        checks=(),
        gold=frozenset({gold.casefold()} if gold else ()),
        form_demand="",
    )


OTHERS = tuple(
    prepared(f"other-{n}", gold=f"gold-{n}", ideal=f"ideal-{n}") for n in range(9)
)


def shown(
    case: Prepared,
    suite: tuple[Prepared, ...] = OTHERS,
    variant: Variant = FEW_SHOT,
    *,
    seed: int = 7,
    trial: int = 0,
) -> list[Message]:
    """Return the turns that a variant shows before a case's own question."""
    planner = RequestPlanner([*suite, case], _no_retriever, seed=seed)
    return list(planner.request(case, variant, trial=trial).messages[:-1])


def _no_retriever(_variant: Variant) -> Retriever:
    raise AssertionError("nothing is retrieved")


def test_three_questions_are_shown_with_their_ideal_answers() -> None:
    """As turns of a conversation that went before, each one once."""
    turns = shown(prepared("q"))
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * 3
    pairs = {
        str(question["content"]): answer["content"]
        for question, answer in zip(turns[::2], turns[1::2], strict=True)
    }
    assert len(pairs) == 3
    for question, answer in pairs.items():
        assert answer == question.replace("other", "ideal").removesuffix("?")


LEAKS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "the case itself": ({}, {"name": "q"}),
    "same gold": ({"gold": "45 days"}, {"gold": "45 Days"}),
    "gold in the ideal": ({"gold": "45 days"}, {"ideal": "leaked: 45 DAYS."}),
    "gold in the question": (
        {"gold": "45 days"},
        {"messages": ({"role": "user", "content": "Why are 45 days too few?"},)},
    ),
    "same evidence": ({"evidence": (SECTION,)}, {"evidence": (SECTION,)}),
    "evidence in the document": ({"evidence": (SECTION,)}, {"evidence": (DOCUMENT,)}),
    "document of the evidence": ({"evidence": (DOCUMENT,)}, {"evidence": (SECTION,)}),
    "one of several": (
        {"evidence": (OTHER_SECTION, SECTION)},
        {"evidence": (SECTION,)},
    ),
    "same cluster": ({"cluster": "returns"}, {"cluster": "returns"}),
}


@pytest.mark.parametrize("name", LEAKS)
def test_what_gives_the_answer_away_is_never_shown(name: str) -> None:
    """Not in any draw, though there is nothing else that could be shown."""
    of_case, of_leak = LEAKS[name]
    case = prepared("q", **of_case)  # type: ignore[arg-type]
    parts = {"name": "leak", "ideal": "leaked", **of_leak}
    leak = prepared(**parts)  # type: ignore[arg-type]
    for seed in range(20):
        assert shown(case, (leak,), seed=seed) == []


@pytest.mark.parametrize(
    ("of_case", "of_other"),
    [
        ({"gold": "45 days"}, {"gold": "30 days"}),
        ({"evidence": (SECTION,)}, {"evidence": (OTHER_SECTION,)}),
        ({"cluster": "returns"}, {"cluster": "prices"}),
        ({}, {}),
    ],
)
def test_what_gives_nothing_away_is_shown(
    of_case: dict[str, object], of_other: dict[str, object]
) -> None:
    """Else the test above would pass of a variant that shows nothing."""
    case = prepared("q", **of_case)  # type: ignore[arg-type]
    other = prepared("other", ideal="fine", **of_other)  # type: ignore[arg-type]
    assert len(shown(case, (other,))) == 2


def test_the_examples_are_fixed_by_the_seed() -> None:
    """The same for each trial and run; another seed and another case differ."""
    case = prepared("q")
    first = shown(case)
    assert shown(case, tuple(OTHERS)) == first
    assert [shown(case, trial=trial) for trial in range(3)] == [first] * 3
    assert any(shown(case, seed=seed) != first for seed in range(8, 16))
    assert any(shown(prepared(name)) != first for name in "abcdefgh")


def test_a_file_of_examples_is_shown_as_it_is() -> None:
    """In its order, to each case, whatever the seed: it is the user's to choose."""
    turns: tuple[Message, ...] = (
        {"role": "user", "content": "Is it open?"},
        {"role": "assistant", "content": "Yes."},
    )
    variant = replace(FEW_SHOT, examples=Examples(count=1, messages=turns))
    draws = [shown(prepared(name), variant=variant, seed=seed) for name, seed in
             (("a", 1), ("b", 2))]  # fmt: skip
    assert draws == [list(turns)] * 2


def test_cases_of_another_form_or_file_are_no_examples() -> None:
    """What is shown is how to answer this kind of question."""
    tools = ({"type": "function", "function": {"name": "log"}},)
    apart = (
        prepared("tools", ideal="a", tools=tools),
        prepared("elsewhere", ideal="a", path=Path("b.eval.yaml")),
    )
    assert shown(prepared("q"), apart) == []


def test_examples_stand_behind_the_system_prompt() -> None:
    """So that a corpus stays the beginning of every prompt."""
    variant = replace(FEW_SHOT, context="# Everything")
    prefixes = set()
    for name in "abc":
        case = prepared(name, system=f"You are {name}.")
        planner = RequestPlanner([*OTHERS, case], _no_retriever, seed=7)
        system, *turns, _ = planner.request(case, variant).messages
        text = str(system["content"])
        prefixes.add(text.removesuffix(f"You are {name}.").encode())
        assert len(turns) == 6
        assert "ideal" not in text
    assert prefixes == {b"# Everything\n\n"}
