"""The fix ladder: what each fix did to the failing cases, and what it cost them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import cast

import pytest

from comparing import cases_by_id
from conftest import EvalSuite
from diagnosed import result, suite
from pytest_llm_diagnosis.diagnosis import Diagnosis, Fix, diagnose
from pytest_llm_diagnosis.diagnosis.ladder import kinds_given
from pytest_llm_diagnosis.records import (
    Answer,
    Ask,
    CaseResult,
    Cause,
    Finding,
    Given,
    JsonObject,
    Kind,
    Tokens,
    Trial,
)


def ask(
    *, passed: bool, prompt: int = 0, seconds: float | None = None, error: bool = False
) -> Ask:
    """Return an ask that cost so much; nothing is known of one without tokens."""
    tokens = Tokens(prompt=prompt, completion=10) if prompt else None
    usd = prompt / 1000 if prompt else None
    answer = Answer(text="t", tokens=tokens, usd=usd, seconds=seconds)
    return Ask(facts=passed, error=error, trial=None if error else Trial(answer=answer))


def costing(one: CaseResult, prompt: int, seconds: float = 1.0) -> CaseResult:
    """Return the case with a first answer of that price."""
    tokens = Tokens(prompt=prompt, completion=10)
    answer = Answer(text="t", tokens=tokens, usd=prompt / 1000, seconds=seconds)
    return replace(one, trials=(Trial(answer=answer, grade=one.trials[0].grade),))


def probed(cause: Cause, **arms: list[Ask]) -> CaseResult:
    """Return a failing case with that cause and these asks."""
    finding = Finding(cause=cause, arms={arm: tuple(a) for arm, a in arms.items()})
    return costing(result(cause, "failed", finding=finding), 100)


def fixes(
    *results: CaseResult, given: tuple[Given, ...] = (), name: str = "base"
) -> dict[str, Fix]:
    """Return what was tried for a variant, by arm or variant."""
    diagnosis = diagnose(results, seed=7, given=given)
    (one,) = (one for one in diagnosis.variants if one.name == name)
    return {fix.arm or fix.variant: fix for fix in one.fixes}


def test_an_arm_counts_the_cases_it_fixed_and_their_price() -> None:
    """Paired with what the controls cost, the first answer where there was none."""
    found = fixes(
        probed(
            "knowledge",
            R=[ask(passed=False, prompt=200, seconds=3.0)],
            E=[ask(passed=True, prompt=350, seconds=4.0)],
        ),
        replace(
            probed("unexplained", E=[ask(passed=False, prompt=120, seconds=1.5)]),
            id="other",
        ),
    )
    passage = found["E"]
    assert (passage.kinds, passage.fixed, passage.tried) == (("passage",), 1, 2)
    assert passage.broken is None
    # 350 against 200, and 120 against 100.
    assert passage.tokens == pytest.approx((150 + 20) / 2)
    assert passage.extra.usd == pytest.approx(0.085)
    assert passage.extra.seconds == pytest.approx((1.0 + 0.5) / 2)


def test_what_no_answer_tells_is_not_measured() -> None:
    """None, never 0: not by its arms, and not where only one side tells."""
    silent = fixes(probed("knowledge", E=[ask(passed=True)]))["E"]
    assert silent.tokens is None
    assert silent.extra.usd is None
    assert silent.extra.seconds is None


@pytest.mark.parametrize("cause", ["unstable", "check_suspect", "infrastructure"])
def test_cases_that_no_fix_could_fix_are_left_out(cause: Cause) -> None:
    """One that passes unchanged passes under any fix."""
    assert not fixes(probed(cause, E=[ask(passed=True)]))


def test_a_fix_takes_more_right_asks_than_wrong_ones() -> None:
    """A call that failed says nothing."""
    asks = [ask(passed=True), ask(passed=False), ask(passed=True, error=True)]
    assert fixes(probed("unexplained", S=asks))["S"].fixed == 0
    assert fixes(probed("unexplained", S=[*asks, ask(passed=True)]))["S"].fixed == 1
    assert not fixes(probed("unexplained", S=[ask(passed=False, error=True)]))


def given(name: str, kind: Kind, model: str = "m", **changes: list[str]) -> Given:
    """Return what a variant is."""
    told = {other: tuple(names) for other, names in changes.items()}
    return Given(name=name, kind=kind, model=model, gives=GIVES[name], changes=told)


GIVES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("base", "tuned", "other", "app", "cool"), ()),
    "instructed": ("system",),
    "few_shot": ("examples",),
    "long_context": ("context",),
    "rag": ("retrieve",),
    "tuned_rag": ("retrieve",),
}


BASE = given(
    "base",
    "prompt",
    instructed=["system"],
    few_shot=["examples"],
    long_context=["context"],
    rag=["retrieve"],
    tuned=["model"],
    tuned_rag=["retrieve", "model"],
    other=["model"],
    app=["call", "model"],
    cool=["params"],
)
ALL = (
    BASE,
    given("instructed", "prompt"),
    given("few_shot", "examples"),
    given("long_context", "long_context"),
    given("rag", "retrieval"),
    given("tuned", "weights", "m-tuned"),
    given("tuned_rag", "retrieval", "m-tuned"),
    given("other", "prompt", "another"),
    given("app", "app", ""),
    given("cool", "prompt"),
)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("instructed", ("instruction",)),
        ("few_shot", ("examples",)),
        ("long_context", ("long_context",)),
        ("rag", ("retrieval",)),
        ("tuned", ("weights",)),
        ("tuned_rag", ("retrieval", "weights")),
        ("other", ("model",)),
        ("app", ("app",)),
        ("cool", ()),
    ],
)
def test_what_a_variant_gives_beyond_the_base(
    name: str, kinds: tuple[str, ...]
) -> None:
    """Its changes say so; whose model is tuned, any variant of that model says."""
    (other,) = (one for one in ALL if one.name == name)
    assert kinds_given(BASE, other, ALL) == kinds


@pytest.mark.parametrize(
    ("name", "kind", "changes"),
    [
        ("rag", "retrieval", ["retrieve"]),  # base lacks its passages
        ("tuned", "weights", ["model"]),  # and its weights
        ("tuned_rag", "retrieval", ["model"]),
    ],
)
def test_a_variant_that_gives_less_is_no_fix(
    name: str, kind: Kind, changes: list[str]
) -> None:
    """What differs is the same both ways; only one of them gives it."""
    model = "m" if name == "rag" else "m-tuned"
    more = given(name, kind, model, base=changes)
    assert kinds_given(more, BASE, ALL) == ()


def variant(name: str, results: list[CaseResult]) -> list[CaseResult]:
    """Return the results as another variant's."""
    return [replace(one, variant=name, finding=None) for one in results]


def test_a_variant_shows_what_it_fixes_breaks_and_costs() -> None:
    """Free of probes, over the cases that both ran."""
    base = [costing(one, 100) for one in suite(4, knowledge=3)]
    after = [
        costing(replace(one, outcome="passed", trials=result().trials), 600, 1.25)
        for one in base
    ]
    after[0] = replace(after[0], outcome="failed")
    found = fixes(*base, *variant("rag", after), given=ALL)
    rag = found["rag"]
    assert rag.kinds == ("retrieval",)
    assert (rag.fixed, rag.tried, rag.broken, rag.passing) == (3, 3, 1, 4)
    assert rag.tokens == pytest.approx(500)
    assert rag.extra.seconds == pytest.approx(0.25)


def test_the_cheapest_fix_to_try_comes_first() -> None:
    """Arms and variants on one ladder; two together come after the dearer of them."""
    arms = {arm: [ask(passed=False)] for arm in ("ES", "E", "X", "S")}
    base = [probed("unexplained", **arms)]
    names = ("tuned_rag", "rag", "tuned", "few_shot", "instructed")
    others = [one for name in names for one in variant(name, base)]
    order = list(fixes(*base, *others, given=ALL))
    assert order == [
        "S", "instructed", "few_shot", "X", "E", "ES", "rag", "tuned", "tuned_rag",
    ]  # fmt: skip


def test_a_report_keeps_the_ladder() -> None:
    """Through JSON and back; an older report has none."""
    base = [probed("knowledge", E=[ask(passed=True, prompt=300, seconds=2.0)])]
    diagnosis = diagnose([*base, *variant("rag", base)], seed=7, given=ALL)
    data = json.loads(json.dumps(diagnosis.to_dict()))
    assert Diagnosis.from_dict(data) == diagnosis
    for name in ("given", "side_effects"):
        del data[name]
    for one in data["variants"]:
        del one["fixes"], one["disguised"]
    assert Diagnosis.from_dict(data).variants[0].fixes == ()


PRICED = """\
def answer(request):
    shown = "within 45 days" in str(request.messages)
    tokens = {"prompt": 90 if shown else 20, "completion": 5}
    text = "You have 45 days." if shown else "You have 30 days."
    return {"text": text, "tokens": tokens, "usd": 0.003 if shown else 0.001,
            "seconds": 0.75 if shown else 0.5}
"""


@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_probes_keep_their_price(suite: EvalSuite, workers: str) -> None:
    """Through the engine, xdist and the JSON report."""
    suite.write_file("app.py", PRICED)
    suite.write_file("llm_variants.yaml", "variants: {app: {call: 'app:answer'}}\n")
    report = suite.report(workers, "--llm-variant=app", "-k", "boots")
    arms = cast("JsonObject", cases_by_id(report)["boots-window"]["arms"])
    asks = [
        cast("JsonObject", one["trial"]) for one in cast("list[JsonObject]", arms["E"])
    ]
    assert {(one["usd"], one["seconds"]) for one in asks} == {(0.003, 0.75)}
    (told,) = cast("list[JsonObject]", report["variants"])
    ladder = {one["arm"]: one for one in cast("list[JsonObject]", told["fixes"])}
    assert ladder["E"]["fixed"] == ladder["E"]["tried"] == 1
    assert ladder["E"]["tokens"] == pytest.approx(70)
    extra = cast("JsonObject", ladder["E"]["extra"])
    assert extra["usd"] == pytest.approx(0.002)
    assert extra["seconds"] == pytest.approx(0.25)
    (app,) = cast("list[JsonObject]", report["given"])
    assert (app["name"], app["kind"]) == ("app", "app")


def test_variants_of_a_run_stand_on_the_ladder(suite: EvalSuite) -> None:
    """The variants file says what each gives."""
    report = suite.report("--llm-variant=base,rag,instructed", "--llm-probe=off")
    told = cast("list[JsonObject]", report["variants"])[0]
    ladder = cast("list[JsonObject]", told["fixes"])
    assert [(one["variant"], one["kinds"], one["fixed"]) for one in ladder] == [
        ("instructed", ["instruction"], 1),
        ("rag", ["retrieval"], 2),
    ]
