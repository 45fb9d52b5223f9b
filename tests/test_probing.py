"""From scripted answers to causes: every branch and guard of the search."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llm_diagnosis.errors import BudgetError
from pytest_llm_diagnosis.probing import (
    ArmUnavailableError,
    Candidate,
    ProbeMode,
    Reply,
    Situation,
    find_cause,
    graded_reply,
    is_costume,
    needs_probing,
    run_now,
    select_for_probing,
)
from pytest_llm_diagnosis.records import Arm, Ask, Cause, Finding, Grade, Mark, Verdict

Script = Mapping[str, str]
"""What each arm shows: `f` and `m` where facts and form are right, `!` an error.

Letters after a comma are for later asks; the last stays.  `-` is nothing right,
a missing arm is like R, and `none` cannot be asked.
"""

BITS = {"facts": (True, False), "form": (False, True), "both": (True, True)}


class Model:
    """An asker that answers from a script and counts what it was asked."""

    def __init__(self, script: Script, checks: str = "fm", *, echo: str = "") -> None:
        self.script = script
        self.checks = checks
        self.asked: list[tuple[Arm, int]] = []
        self.echo = echo

    def reply(self, arm: Arm, n: int) -> Reply:
        """Return the scripted answer to the n-th ask."""
        shown = self.script.get(arm, self.script["R"]).split(",")
        right = shown[min(n, len(shown) - 1)]
        if right == "none":
            raise ArmUnavailableError(arm)
        ask = Ask(
            facts="f" in right if "f" in self.checks else None,
            form="m" in right if "m" in self.checks and "F" not in arm else None,
            error="!" in right,
        )
        text = self.echo or f"answer {len(self.asked)}"
        return Reply(ask=ask, text=text)

    async def __call__(self, arm: Arm, n: int) -> Reply:
        """Answer one ask."""
        self.asked.append((arm, n))
        return self.reply(arm, n)


def diagnosed(
    script: Script,
    checks: str = "fm",
    mode: ProbeMode = "standard",
    **situation: bool | str | None,
) -> Finding:
    """Return the finding about a model that follows a script."""
    model = Model(script, checks, echo=str(situation.pop("echo", "")))
    facts = bool(situation.pop("asks_facts", "f" in checks))
    first = model.reply("first", 0)
    return run_now(
        find_cause(
            Situation(first=first, asks_facts=facts, **situation),  # type: ignore[arg-type]
            model,
            mode,
        )
    )


IGNORANT = {"R": "m", "F": "-", "S": "m", "X": "m", "E": "fm", "EF": "f"}
BLOCKED = {"R": "m", "F": "f", "S": "m", "X": "m", "E": "fm", "EF": "f"}
SHAPELESS = {"R": "f", "S": "f", "X": "f", "E": "f", "F": "f", "EF": "f"}
LOST = {"R": "-", "ES": "-", "EX": "-"}

CASES: list[tuple[str, Script, str, Cause, str | None]] = [
    ("passes unchanged", {"first": "m", "R": "fm"}, "fm", "unstable", None),
    ("right with the passage alone", IGNORANT, "fm", "knowledge", None),
    ("the same without form checks", IGNORANT, "f", "knowledge", None),
    ("right in free form, told", {**BLOCKED, "S": "fm"}, "fm", "instruction", None),
    ("right in free form, shown", {**BLOCKED, "X": "fm"}, "fm", "examples", None),
    ("right in free form only", BLOCKED, "fm", "behavior", None),
    ("form kept when told", {**SHAPELESS, "S": "fm"}, "fm", "instruction", None),
    ("form kept when shown", {**SHAPELESS, "X": "fm"}, "fm", "examples", None),
    ("form never kept", SHAPELESS, "fm", "behavior", None),
    ("form alone, told", {"R": "-", "S": "m"}, "m", "instruction", None),
    ("form alone, never", {"R": "-"}, "m", "behavior", None),
    ("form breaks without the fact", {"R": "-", "E": "m"}, "m", "knowledge", None),
    ("needs both, told", {**LOST, "E": "f", "EF": "f", "ES": "fm", "EX": "f"}, "fm",
     "both", "instruction"),
    ("needs both, shown", {**LOST, "E": "f", "EF": "f", "ES": "f", "EX": "fm"}, "fm",
     "both", "examples"),
    ("needs both, never", {**LOST, "E": "f", "EF": "f", "ES": "f", "EX": "f"}, "fm",
     "both", "behavior"),
    ("needs passage and freedom", {**LOST, "EF": "f"}, "fm", "both", "behavior"),
    ("nothing helps", LOST, "fm", "unexplained", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "checks", "cause", "rung"),
    [pytest.param(*case[1:], id=case[0]) for case in CASES],
)
def test_a_consistent_model_has_one_cause(
    script: Script, checks: str, cause: Cause, rung: str | None
) -> None:
    """Every way to fail that a script can state is told apart."""
    finding = diagnosed(script, checks, asks_facts=True)
    assert (finding.cause, finding.rung) == (cause, rung)
    assert finding.calls <= 14


@pytest.mark.parametrize(
    ("script", "checks", "cause"),
    [pytest.param(*case[1:4], id=case[0]) for case in CASES if case[3] != "both"],
)
def test_quick_agrees_on_consistent_models(
    script: Script, checks: str, cause: Cause
) -> None:
    """About three calls are enough where nothing is noisy."""
    finding = diagnosed(script, checks, "quick", asks_facts=True)
    assert finding.cause == cause
    assert finding.calls <= 7


def test_knowledge_is_never_said_without_free_form_and_passage() -> None:
    """A passage rescues almost anything, so free form has to fail first."""
    arms = diagnosed(IGNORANT).arms
    assert not any(ask.facts for ask in arms["F"])
    assert any(ask.facts for ask in arms["E"])


def test_behavior_is_never_said_without_instruction_and_examples() -> None:
    """Deep behaviour is what survives both cheaper fixes."""
    assert {"S", "X"} <= diagnosed(SHAPELESS).arms.keys()


@pytest.mark.parametrize(
    ("script", "checks", "untested"),
    [
        ({**IGNORANT, "E": "none"}, "fm", "E"),
        ({**IGNORANT, "F": "none"}, "fm", "F"),
        ({**SHAPELESS, "X": "none"}, "fm", "X"),
        ({**SHAPELESS, "S": "none"}, "fm", "S"),
        ({"R": "none", "first": "m"}, "fm", "R"),
    ],
)
def test_a_cause_that_needs_an_untested_arm_is_not_named(
    script: Script, checks: str, untested: str
) -> None:
    """It becomes unexplained and says which arm could not be asked."""
    finding = diagnosed(script, checks)
    assert finding.cause == "unexplained"
    assert untested in finding.untested


FORMED: list[tuple[Script, str, Cause, str | None, tuple[str, ...]]] = [
    ({"R": "-", "S": "f"}, "f", "instruction", None, ()),
    ({"R": "-", "X": "f"}, "f", "examples", None, ()),
    ({"R": "-", "S": "fm", "E": "fm"}, "fm", "instruction", None, ()),
    ({"R": "-", "X": "fm", "E": "f"}, "fm", "examples", None, ()),
    ({"R": "-", "E": "f"}, "f", "knowledge", None, ("F",)),
    ({"R": "m", "E": "fm"}, "fm", "knowledge", None, ("F",)),
    ({"R": "-", "E": "f", "ES": "fm"}, "fm", "both", "instruction", ("F",)),
    ({"R": "-", "E": "f", "EX": "fm"}, "fm", "both", "examples", ("F",)),
    ({"R": "-", "ES": "f", "EX": "f"}, "f", "both", "instruction", ("F",)),
    ({"R": "-"}, "f", "behavior", None, ("F",)),
    ({"R": "-", "E": "none"}, "f", "unexplained", None, ("E", "F")),
    ({"R": "f"}, "fm", "behavior", None, ()),
]


@pytest.mark.parametrize(("script", "checks", "cause", "rung", "untested"), FORMED)
def test_a_fact_that_is_a_form_is_never_asked_for_in_free_form(
    script: Script,
    checks: str,
    cause: Cause,
    rung: str | None,
    untested: tuple[str, ...],
) -> None:
    """Prose cannot pass it: the cheaper fixes decide, and F is not tested."""
    finding = diagnosed(script, checks, asks_facts=True, formed=True)
    assert (finding.cause, finding.rung) == (cause, rung)
    assert tuple(sorted(finding.untested)) == untested
    assert not {"F", "EF"} & finding.arms.keys()
    if cause in {"knowledge", "both", "behavior", "unexplained"}:
        assert {"S", "X"} <= finding.arms.keys()


@pytest.mark.parametrize("mode", ["quick", "standard"])
def test_a_fix_that_works_alone_is_never_called_both(mode: ProbeMode) -> None:
    """The passage and the examples help: but so do the examples alone."""
    script = {**LOST, "X": "fm", "E": "f", "EX": "fm"}
    finding = diagnosed(script, "fm", mode, asks_facts=True)
    assert finding.cause == "examples"


@pytest.mark.parametrize("rung", ["instruction", "examples"])
def test_both_is_said_after_its_form_fix_alone_failed(rung: str) -> None:
    """Else the passage is not shown to be needed."""
    arm: dict[str, Arm] = {"instruction": "S", "examples": "X"}
    script = {**LOST, "E": "f", "EF": "f", f"E{arm[rung]}": "fm"}
    finding = diagnosed(script, "fm", asks_facts=True)
    assert finding.rung == rung
    assert not any(ask.passed for ask in finding.arms[arm[rung]])


def test_an_untested_arm_does_not_hide_another_cause() -> None:
    """Without a passage an instruction that works is still found."""
    finding = diagnosed({**SHAPELESS, "S": "fm", "E": "none"})
    assert finding.cause == "instruction"


def test_examples_stand_without_an_instruction() -> None:
    """Examples that work need no failed instruction, only a note of it."""
    finding = diagnosed({**SHAPELESS, "X": "fm", "S": "none"})
    assert (finding.cause, finding.untested) == ("examples", ("S",))


def test_a_both_without_its_form_arms_has_no_rung() -> None:
    """The passage is shown to be needed; the rung is not guessed."""
    script = {**LOST, "E": "f", "EF": "f", "ES": "none", "EX": "none"}
    finding = diagnosed(script)
    assert (finding.cause, finding.rung) == ("both", None)


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ({"R": "-", "S": "f"}, "instruction"),
        ({"R": "-", "X": "f"}, "examples"),
        ({"R": "-", "E": "f"}, "knowledge"),
        ({"R": "-"}, "unexplained"),
    ],
)
def test_abstention_is_fixed_by_words_or_by_passages(
    script: Script, cause: Cause
) -> None:
    """Freedom of form is never asked where the right answer is to give none."""
    finding = diagnosed(script, "f", abstains=True)
    assert finding.cause == cause
    assert not {"F", "EF"} & finding.arms.keys()


@pytest.mark.parametrize(
    ("script", "retrieved", "note"),
    [
        (IGNORANT, False, "retrieval miss"),
        (IGNORANT, True, "distracted"),
        (LOST, True, "not used"),
        (IGNORANT, None, None),
    ],
)
def test_a_retrieving_variant_gets_a_detail(
    script: Script, *, retrieved: bool | None, note: str | None
) -> None:
    """What retrieval did wrong follows from what the gold passage changed."""
    finding = diagnosed(script, retrieving=True, gold_retrieved=retrieved)
    assert finding.note == note


def test_a_failed_call_is_infrastructure() -> None:
    """It overrides every cause and keeps the asks that were answered."""
    finding = diagnosed({**IGNORANT, "E": "!"})
    assert finding.cause == "infrastructure"
    assert finding.note == "a call of arm E failed"
    assert finding.arms["E"][-1].error


def test_a_spent_budget_ends_the_interview() -> None:
    """Errors that are not about an arm are passed on."""

    async def broke(_arm: Arm, _n: int) -> Reply:
        raise BudgetError("the budget is spent")

    situation = Situation(first=Reply(ask=Ask(facts=False)), asks_facts=True)
    with pytest.raises(BudgetError):
        run_now(find_cause(situation, broke))


@pytest.mark.parametrize(
    ("echo", "controls"), [("the very same words every time", 1), ("No.", 2)]
)
def test_a_model_that_repeats_itself_is_asked_once_per_arm(
    echo: str, controls: int
) -> None:
    """Equal bytes show nothing new; short ones may be equal by chance."""
    finding = diagnosed(IGNORANT, echo=echo)
    assert finding.cause == "knowledge"
    assert len(finding.arms["R"]) == controls
    assert {len(asks) for arm, asks in finding.arms.items() if arm != "R"} == {1}
    assert finding.note == "deterministic replay: instability not testable"


def test_an_answer_that_varies_after_all_is_not_a_replay() -> None:
    """A short answer equal twice and then another one is no determinism."""
    texts = iter(["No.", "No.", "Yes."])

    async def asker(arm: Arm, n: int) -> Reply:
        text = next(texts, "Yes.") if arm == "R" else f"{arm}{n}"
        return Reply(ask=Ask(facts=text != "No."), text=text)

    first = Reply(ask=Ask(facts=False), text=next(texts))
    finding = run_now(find_cause(Situation(first=first, asks_facts=True), asker))
    assert finding.cause == "unstable"
    assert finding.note is None


def test_only_missing_arms_that_matter_are_named() -> None:
    """An instruction that works does not need the passage that was not there."""
    finding = diagnosed({**SHAPELESS, "S": "fm", "E": "none"})
    assert (finding.cause, finding.untested) == ("instruction", ())


def test_no_arm_is_asked_more_than_four_times() -> None:
    """Controls may be asked up to six times."""
    rng = random.Random(3)  # noqa: S311 - a script, not a secret

    async def noise(_arm: Arm, _n: int) -> Reply:
        ask = Ask(facts=rng.random() < 0.5, form=rng.random() < 0.5)
        return Reply(ask=ask, text=str(rng.random()))

    for _ in range(50):
        first = Reply(ask=Ask(facts=False, form=False))
        finding = run_now(find_cause(Situation(first=first, asks_facts=True), noise))
        for arm, asks in finding.arms.items():
            assert len(asks) <= (6 if arm == "R" else 4)


@pytest.mark.parametrize(
    ("text", "ideal", "cause"),
    [
        ("You have 45 days.", "You have 45 days", "check_suspect"),
        ("Customers have 45 days", "45 days from delivery", "knowledge"),
        ("You have 30 days.", "You have 45 days", "knowledge"),
        ("You do not have 45 days.", "You have 45 days", "knowledge"),
        ("45 " + "and much else " * 9 + " days", "45 days", "knowledge"),
    ],
)
def test_an_answer_like_the_reference_makes_the_check_suspect(
    text: str, ideal: str, cause: Cause
) -> None:
    """Words and numbers must agree, and nothing may deny them."""
    script = Model(IGNORANT, "f")

    async def asker(arm: Arm, n: int) -> Reply:
        return Reply(ask=script.reply(arm, n).ask, text=f"{text}{' ' * n}")

    first = Reply(ask=Ask(facts=False), text=text)
    situation = Situation(first=first, asks_facts=True, ideal_text=ideal)
    assert run_now(find_cause(situation, asker)).cause == cause


def test_asks_are_numbered_per_arm() -> None:
    """The n-th ask of an arm may show other examples, so n counts from 0."""
    model = Model(IGNORANT)
    situation = Situation(first=model.reply("first", 0), asks_facts=True)
    run_now(find_cause(situation, model))
    for arm in {arm for arm, _ in model.asked}:
        numbers = [n for asked, n in model.asked if asked == arm]
        assert numbers == list(range(len(numbers)))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["f", "m", "fm"]))
def test_every_search_ends(seed: int, checks: str) -> None:
    """Whatever the answers, a bounded number of asks names some cause."""
    rng = random.Random(seed)  # noqa: S311 - a script, not a secret

    async def noise(arm: Arm, _n: int) -> Reply:
        if rng.random() < 0.05 and arm != "R":
            raise ArmUnavailableError(arm)
        return Reply(
            ask=Ask(
                facts=rng.random() < 0.5 if "f" in checks else None,
                form=rng.random() < 0.5 if "m" in checks and "F" not in arm else None,
            ),
            text=str(rng.random()),
        )

    first = Ask(
        facts=False if "f" in checks else None, form=False if "m" in checks else None
    )
    situation = Situation(first=Reply(ask=first), asks_facts="f" in checks)
    finding = run_now(find_cause(situation, noise))
    assert finding.calls <= 14 + 5
    if finding.cause == "knowledge":
        assert "E" in finding.arms
    if finding.cause == "behavior":
        assert {"S", "X"} <= finding.arms.keys()


def test_run_now_refuses_to_wait() -> None:
    """A coroutine that suspends needs an event loop."""
    import asyncio

    with pytest.raises(RuntimeError, match="suspended"):
        run_now(asyncio.sleep(0))


FAILED, PASSED = Verdict(check="a", passed=False), Verdict(check="a", passed=True)
FACTS_FAIL = Grade(facts=(FAILED,), form=(PASSED,))
FORM_FAILS = Grade(facts=(PASSED,), form=(FAILED,))


@pytest.mark.parametrize(
    ("mark", "grade", "cause", "costume"),
    [
        ("knowledge", FACTS_FAIL, "knowledge", False),
        ("behavior", FACTS_FAIL, "knowledge", True),
        ("knowledge", FORM_FAILS, "knowledge", True),
        ("behavior", FORM_FAILS, "instruction", False),
        ("behavior", FACTS_FAIL, "examples", True),
        ("knowledge", FORM_FAILS, "behavior", True),
        ("knowledge", FACTS_FAIL, "both", False),
        ("behavior", FACTS_FAIL, "unexplained", False),
    ],
)
def test_a_costume_contradicts_mark_or_check(
    mark: Mark, grade: Grade, cause: Cause, *, costume: bool
) -> None:
    """Mark or failing check say one side, the cause says the other."""
    assert is_costume(mark, grade, Finding(cause=cause)) is costume


def test_limits_alone_are_not_probed() -> None:
    """A slow answer fails its case and has no cause to look for."""
    assert not needs_probing(Grade(facts=(PASSED,), limits=(FAILED,)))
    assert needs_probing(FACTS_FAIL)
    assert needs_probing(FORM_FAILS)


def test_free_form_is_graded_on_facts_alone() -> None:
    """The form of an answer that was freed from it says nothing."""
    assert graded_reply("F", FORM_FAILS).ask == Ask(facts=True)
    assert graded_reply("E", FORM_FAILS).ask == Ask(facts=True, form=False)


candidates = st.lists(
    st.builds(
        Candidate,
        nodeid=st.uuids().map(str),
        mark=st.sampled_from(["knowledge", "behavior"]),
        cluster=st.sampled_from("abc"),
    ),
    max_size=40,
    unique_by=lambda candidate: candidate.nodeid,
)


@given(candidates, st.integers(0, 50), st.integers(0, 9))
def test_selection_keeps_every_stratum_in_its_share(
    found: list[Candidate], limit: int, seed: int
) -> None:
    """Any prefix holds each mark x cluster to within one case of its share."""
    chosen = select_for_probing(found, limit, seed)
    assert len(chosen) == min(limit, len(found))
    assert len(set(chosen)) == len(chosen)
    assert select_for_probing(found[::-1], limit, seed) == chosen
    strata = {(one.mark, one.cluster) for one in found}
    for stratum in strata:
        size = sum((one.mark, one.cluster) == stratum for one in found)
        taken = sum((one.mark, one.cluster) == stratum for one in chosen)
        share = size * len(chosen) / len(found)
        assert abs(taken - share) <= 1 + len(strata) / 2


def test_the_seed_shuffles_the_selection() -> None:
    """Two seeds probe in two orders."""
    found = [Candidate(nodeid=str(n), mark="behavior", cluster="a") for n in range(30)]
    assert select_for_probing(found, 30, 1) != select_for_probing(found, 30, 2)


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        # The passage alone fails: what worked was the passage in free form.
        ({"R": "m", "F": "-", "S": "m", "X": "m", "E": "m", "EF": "f"}, "both"),
        # The instruction keeps the form and loses the fact; examples keep both.
        ({"R": "f", "F": "f", "S": "m", "X": "fm", "E": "f"}, "examples"),
    ],
)
def test_a_fix_that_is_named_was_seen_to_work(script: Script, cause: Cause) -> None:
    """However likely a cause is, its fix must have worked in some ask."""
    finding = diagnosed(script, echo="the same long answer, byte for byte, each time")
    assert finding.cause == cause


scripts = st.fixed_dictionaries(
    {
        arm: st.sampled_from(["-", "f", "m", "fm", "none"])
        for arm in ("R", "F", "S", "X", "E", "EF", "ES", "EX")
    }
)
modes = st.sampled_from(["quick", "standard"])
REPLAY = "the same long answer, byte for byte, each time"


@given(scripts, modes)
@settings(deadline=None, max_examples=200)
def test_no_fix_is_named_that_never_worked(
    script: dict[str, str], mode: ProbeMode
) -> None:
    """A law over all scripts: the arm of a named prompt fix was right as a whole."""
    finding = diagnosed({**script, "first": "-"}, mode=mode)
    arm = {"unstable": "R", "instruction": "S", "examples": "X"}.get(finding.cause)
    if arm is not None:
        assert any(ask.passed for ask in finding.arms[arm])
    if finding.cause == "knowledge":
        assert any(ask.facts for ask in finding.arms["E"])


@given(scripts, modes, st.sampled_from(["", REPLAY]))
@settings(deadline=None, max_examples=200)
def test_what_it_says_unasked_it_knows(
    script: dict[str, str], mode: ProbeMode, echo: str
) -> None:
    """Facts that are right in every unchanged ask were not lacking."""
    known = {**script, "first": "f", "R": "f"}
    finding = diagnosed(known, mode=mode, echo=echo)
    assert finding.cause not in {"knowledge", "both"}


@pytest.mark.parametrize("echo", ["", REPLAY])
@pytest.mark.parametrize("mode", ["quick", "standard"])
def test_facts_right_unasked_need_no_passage_to_be_behavior(
    mode: ProbeMode, echo: str
) -> None:
    """Another prompt may cost the fact; the control has shown that it is there."""
    script = {"R": "f", "F": "-", "S": "-", "X": "-", "E": "none"}
    assert diagnosed(script, mode=mode, echo=echo).cause == "behavior"


def test_one_lucky_guess_is_no_knowledge() -> None:
    """Facts right in one of several unchanged asks do not rule ignorance out."""
    finding = diagnosed({**LOST, "R": "f,-", "first": "-", "E": "fm", "S": "-"})
    assert finding.cause == "knowledge"


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), modes)
def test_a_named_cause_is_likelier_than_all_others(seed: int, mode: ProbeMode) -> None:
    """Whatever the answers: what is less likely is said to be open."""
    rng = random.Random(seed)  # noqa: S311 - a script, not a secret

    async def noise(arm: Arm, _n: int) -> Reply:
        form = None if "F" in arm else rng.random() < 0.4
        ask = Ask(facts=rng.random() < 0.4, form=form)
        return Reply(ask=ask, text=str(rng.random()))

    situation = Situation(
        first=Reply(ask=Ask(facts=False, form=False)), asks_facts=True
    )
    finding = run_now(find_cause(situation, noise, mode))
    if finding.cause != "unexplained":
        assert (finding.probability or 0) >= 0.5
    else:
        assert finding.probability or "could be" in str(finding.note)


@pytest.mark.parametrize(
    ("script", "causes"),
    [
        ({**SHAPELESS, "X": "none"}, "examples or behavior"),
        (
            {**SHAPELESS, "S": "none", "X": "none"},
            "instruction, examples or behavior",
        ),
        ({**IGNORANT, "E": "none"}, "knowledge"),
    ],
)
def test_a_cause_that_could_not_be_proven_is_noted(script: Script, causes: str) -> None:
    """What is missing and what it would probably have shown stand side by side."""
    finding = diagnosed(script)
    assert finding.cause == "unexplained"
    assert finding.note == f"could be {causes}"


@pytest.mark.parametrize(
    ("script", "checks", "cause"),
    [
        ({"R": "-", "F": "-", "E": "-,f", "EF": "f"}, "f", "knowledge"),
        ({"R": "f", "S": "m,fm"}, "fm", "instruction"),
        ({**LOST, "F": "-", "E": "f", "S": "m", "ES": "m,fm"}, "fm", "both"),
    ],
)
def test_a_likely_fix_that_failed_once_is_asked_again(
    script: Script, checks: str, cause: Cause
) -> None:
    """One failure is bad luck where all else speaks for the fix."""
    assert diagnosed(script, checks, mode="quick").cause == cause
