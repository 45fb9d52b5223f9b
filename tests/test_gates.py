"""Gates: what they say, what they refuse, what they make of a run."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosed import result, suite
from eval_files import UNTIMED
from pytest_llm_diagnosis.diagnosis import (
    Comparison,
    Earlier,
    compare_variants,
    diagnose,
)
from pytest_llm_diagnosis.gates import Gate, GateError, judge, needs_baseline, parse
from pytest_llm_diagnosis.gates.terms import (
    CountTerm,
    Joined,
    Negated,
    RateTerm,
    RegressionTerm,
    Scoped,
    Term,
    VerdictTerm,
)
from pytest_llm_diagnosis.records import CaseResult, Mark, Outcome
from pytest_llm_diagnosis.report.gating import exit_line, gate_lines


def errors(bound: float = 0) -> CountTerm:
    """Return `errors == bound`."""
    text = f"errors == {bound:g}"
    return CountTerm(text=text, count="errors", operator="==", bound=bound)


def rate(text: str, mark: Mark, operator: str, bound: float) -> RateTerm:
    """Return a comparison of a pass rate."""
    return RateTerm(text=text, mark=mark, end="", operator=operator, bound=bound)


E = errors()
KNOWS = rate("knowledge >= 0.9", "knowledge", ">=", 0.9)
BEHAVES = rate("behavior >= 80%", "behavior", ">=", 0.8)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("errors == 0", E),
        (
            "errors==0",
            CountTerm(text="errors==0", count="errors", operator="==", bound=0),
        ),
        (
            "rag: knowledge >= 0.9 and behavior >= 80%",
            Scoped(variants=("rag",), part=Joined(word="and", parts=(KNOWS, BEHAVES))),
        ),
        (
            "a, 'my b', a: errors == 0",
            Scoped(variants=("a", "my b"), part=E),
        ),
        ("gpt-4.1: errors == 0", Scoped(variants=("gpt-4.1",), part=E)),
        ("knowledge: errors == 0", Scoped(variants=("knowledge",), part=E)),
        (
            "errors == 0 or not errors == 0 and errors == 0",
            Joined(
                word="or", parts=(E, Joined(word="and", parts=(Negated(part=E), E)))
            ),
        ),
        (
            "(rag: errors == 0) and ((errors == 0))",
            Joined(word="and", parts=(Scoped(variants=("rag",), part=E), E)),
        ),
        (
            "verdict != too-little-data",
            VerdictTerm(
                text="verdict != too-little-data",
                operator="!=",
                kind="too_little_data",
            ),
        ),
        ("no-regression", RegressionTerm(text="no-regression")),
        (
            "strict no-regression(5%)",
            RegressionTerm(text="strict no-regression(5%)", strict=True, margin=0.05),
        ),
        (
            "behavior.low < .5",
            RateTerm(
                text="behavior.low < .5",
                mark="behavior",
                end="low",
                operator="<",
                bound=0.5,
            ),
        ),
    ],
)
def test_what_a_gate_says(text: str, term: Term) -> None:
    """`and` binds closer than `or`, names before a colon reach to the end."""
    assert parse(text) == term


@pytest.mark.parametrize(
    ("text", "column", "finding", "hint"),
    [
        ("", 1, "expected a comparison, found the end", "as in"),
        ("rag:", 5, "expected a comparison, found the end", "as in"),
        (
            "knowlege >= 0.9",
            1,
            "unknown quantity 'knowlege'",
            "did you mean 'knowledge'?",
        ),
        ("errors == 0 and", 16, "expected a comparison, found the end", "as in"),
        ("errors == 0 errors", 13, "expected 'and', 'or' or the end", "as in"),
        ("errors = 0", 8, "unexpected '='", "write =="),
        ("errors == 0 && failed == 0", 13, "unexpected '&'", "write 'and'"),
        ("errors 0", 8, "expected one of >=, ", "as in"),
        ("errors == x", 11, "expected a number of cases, found 'x'", "as in"),
        ("errors == 3%", 12, "expected 'and', 'or' or the end", "as in"),
        ("knowledge >= 90", 14, "a rate of knowledge lies between 0 and 1", "90%"),
        ("verdict > knowledge", 9, "a verdict has no order", "== or !="),
        ("verdict == behaviour", 12, "unknown verdict", "did you mean 'behavior'?"),
        ("(errors == 0", 13, "expected ')', 'and' or 'or'", "as in"),
        ("errors == 0)", 12, "expected 'and', 'or' or the end, found ')'", "as in"),
        ("strict errors == 0", 8, "expected 'no-regression' after", "as in"),
        ("no-regression(0.1", 18, "expected ')' after the margin", "as in"),
        ("no-regression(20)", 15, "the margin lies between 0 and 1", "0.9 or 90%"),
        ("'rag: errors == 0", 1, 'unexpected "\'"', "no partner"),
        ("errors == 0 and rag: errors == 0", 17, "variants are named", "(rag: ...)"),
        ("(" * 99, 41, "nested too deeply", "at most 40"),
        ("errors\x1b == 0", 7, "unexpected '\\x1b'", "as in"),
    ],
)
def test_what_a_gate_refuses(text: str, column: int, finding: str, hint: str) -> None:
    """Which character is wrong, and what would be right."""
    with pytest.raises(GateError) as caught:
        parse(text)
    assert (caught.value.column, finding in caught.value.finding) == (column, True)
    assert hint in caught.value.hint
    head, shown, caret, _ = str(caught.value).split("\n")
    assert f"column {column}: " in head
    assert len(caret) == 2 + column
    assert len(shown) == 2 + len(text)


@given(st.text(alphabet="()ab.<>=!,:%'\" 09-and or not strict", max_size=60))
@UNTIMED
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    """No other error, and the place lies in the text or right behind it."""
    try:
        parse(text)
    except GateError as error:
        column = error.column
    else:
        column = 1
    assert 1 <= column <= len(text) + 1


_LEAVES = st.sampled_from(["errors == 0", "errors == 1", "cases > 3", "failed <= 2"])
_TEXTS = st.recursive(
    _LEAVES,
    lambda part: st.one_of(
        st.builds("({} and {})".format, part, part),
        st.builds("({} or {})".format, part, part),
        st.builds("not {}".format, part),
        st.builds("(base: {})".format, part),
    ),
    max_leaves=6,
)


@given(_TEXTS)
@UNTIMED
def test_a_gate_means_what_python_means(text: str) -> None:
    """Of one variant, with all values defined."""
    values = {"errors": 1, "cases": 4, "failed": 3}
    python = text.replace("base: ", "")
    expected = eval(python, {}, values)  # noqa: S307 - text of our own
    results = run("error", "passed", "failed", "failed", "failed")
    assert judge(Gate.read(text), diagnose(results, seed=7)).passed is expected


# -- judging ---------------------------------------------------------------


def run(
    *outcomes: str, variant: str = "base", mark: Mark = "knowledge"
) -> list[CaseResult]:
    """Return cases with these outcomes."""
    return [
        result(
            f"{mark}{n}",
            cast("Outcome", outcome),
            variant=variant,
            mark=mark,
            line=n + 1,
        )
        for n, outcome in enumerate(outcomes)
    ]


NINE_OF_TEN = [
    *run(*["passed"] * 9, "failed"),
    *run("passed", "failed", "error", variant="rag", mark="behavior"),
    *run(*["passed"] * 10, variant="rag"),
]


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("knowledge >= 0.9", True),
        ("knowledge > 0.9", False),
        ("base: knowledge >= 90%", True),
        ("knowledge >= 0.95", False),
        ("rag: knowledge == 1", True),
        ("rag: knowledge >= 0.9 and behavior >= 0.5", True),
        ("base: knowledge.low >= 0.9", False),
        ("base: knowledge.low >= 0.59 and knowledge.low < 0.60", True),
        ("base: knowledge.high >= 0.98", True),
        ("errors == 0", False),
        ("base: errors == 0", True),
        ("rag, base: errors <= 1 and cases >= 10", True),
        ("(base: errors == 0) and (rag: errors == 1)", True),
        ("rag: failed == 1 and skipped == 0", True),
        # What is undefined fails, whatever stands around it.
        ("behavior >= 0", False),
        ("not (base: behavior >= 0)", False),
        ("errors <= 1 or behavior >= 0", False),
        ("rga: knowledge >= 0", False),
        ("not (rga: knowledge >= 0)", False),
        ("base: verdict != behavior", False),
        ("base: verdict == not_probed", True),
        ("no-regression", False),
    ],
)
def test_what_gates_make_of_a_run(text: str, *, passed: bool) -> None:
    """Rates of the graded, counts, several variants, undefined values."""
    judged = judge(Gate.read(text), diagnose(NINE_OF_TEN, seed=7))
    assert judged.passed is passed


def test_a_run_without_cases_fails_every_gate() -> None:
    """There is nothing that the gate could hold of."""
    judged = judge(Gate.read("not errors == 1"), diagnose([], seed=7))
    assert not judged.passed
    assert [one.missing for one in judged.measures] == ["no_variants"]


@pytest.mark.parametrize(
    ("results", "kind"),
    [
        (suite(10, behavior=12, examples=1), "behavior"),
        (suite(20, knowledge=5, behavior=3), "unsettled"),
        (suite(20, knowledge=2), "too_little_data"),
        (suite(20), "no_failures"),
    ],
)
def test_verdicts(results: list[CaseResult], kind: str) -> None:
    """A side that is only leaned to is no verdict for it."""
    diagnosis = diagnose(results, seed=7)
    assert judge(Gate.read(f"verdict == {kind}"), diagnosis).passed
    assert not judge(Gate.read(f"verdict != {kind}"), diagnosis).passed
    side = "behavior" if kind != "behavior" else "knowledge"
    assert judge(Gate.read(f"verdict != {side}"), diagnosis).passed


def comparison(before: list[CaseResult], after: list[CaseResult]) -> Comparison:
    """Return the comparison of two runs."""
    earlier = Earlier(before, diagnose(before, seed=7))
    variants = compare_variants(earlier, after)
    return Comparison(path="old.json", started="then", variants=variants)


@pytest.mark.parametrize(
    ("broken", "same", "plain", "strict"),
    [
        (0, 40, True, True),
        (0, 10, True, False),
        (4, 40, False, False),
    ],
)
def test_regressions(broken: int, same: int, *, plain: bool, strict: bool) -> None:
    """What is inconclusive holds unless it is asked strictly."""
    before = run(*["passed"] * (broken + same))
    after = run(*["failed"] * broken, *["passed"] * same)
    found = comparison(before, after)
    diagnosis = diagnose(after, seed=7)
    assert judge(Gate.read("no-regression"), diagnosis, found).passed is plain
    assert judge(Gate.read("strict no-regression"), diagnosis, found).passed is strict
    assert judge(Gate.read("strict no-regression(100%)"), diagnosis, found).passed is (
        broken == 0
    )


def test_a_variant_that_the_baseline_lacks_fails_no_regression() -> None:
    """No case in common is undefined, not unchanged."""
    after = [*run("passed"), *run("passed", variant="rag")]
    found = comparison(run("passed"), after)
    diagnosis = diagnose(after, seed=7)
    assert not judge(Gate.read("no-regression"), diagnosis, found).passed
    assert judge(Gate.read("base: no-regression"), diagnosis, found).passed


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("errors == 0", False),
        ("not (rag: errors == 0 or no-regression)", True),
    ],
)
def test_which_gates_need_a_baseline(text: str, *, needed: bool) -> None:
    """Those that ask for it at any depth."""
    assert needs_baseline(parse(text)) is needed


# -- words -----------------------------------------------------------------


def words(
    text: str, results: list[CaseResult], found: Comparison | None = None
) -> list[str]:
    """Return the lines of a gate."""
    diagnosis = diagnose(results, seed=7)
    judged = judge(Gate.read(text), diagnosis, found)
    return [line.text for line in gate_lines([judged], diagnosis)]


def test_a_gate_that_fails_tells_every_value() -> None:
    """With counts and intervals, and why a value is undefined."""
    text = "(base: knowledge >= .95 and behavior >= .5) and (rga: errors == 0)"
    assert words(text, NINE_OF_TEN) == [
        f"gate FAILED: {text}",
        "  base: knowledge >= .95: does not hold, 9 of 10 passed (95% 60-98%)",
        "  base: behavior >= .5: undefined, no such case was graded",
        "  rga: errors == 0: undefined, this variant did not run; did you mean 'rag'?",
        "    ran: base, rag",
        "  1 case got no grade and did not vote in any rate (gate: errors == 0 and",
        "    skipped == 0)",
    ]


def test_a_gate_that_passes_tells_what_is_inconclusive() -> None:
    """One line, and one for what was let pass without proof."""
    before = run("passed", "passed", "failed")
    after = run("passed", "passed", "passed")
    assert words("cases == 3", after) == ["gate passed: cases == 3"]
    assert words("no-regression", after, comparison(before, after)) == [
        "gate passed: no-regression",
        "  base: no-regression: holds, inconclusive (1 fixed and 0 broken of 3 cases",
        "    compared)",
    ]


@pytest.mark.parametrize(
    ("passed", "failed", "others", "told"),
    [
        (True, 0, 0, "the gate decides for the evals: the run passes"),
        (True, 1, 0, "the run passes, with 1 eval that did not pass"),
        (False, 2, 0, "the gate decides for the evals: the run fails"),
        (True, 2, 3, "beside the evals 3 failed or could not be collected"),
    ],
)
def test_how_the_exit_code_is_told(
    *, passed: bool, failed: int, others: int, told: str
) -> None:
    """What decides, and that it hides nothing else."""
    assert told in exit_line(passed=passed, failed=failed, others=others).text
