"""The Markdown report: golden files of its endings, escapes, and its size."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosed import grade, result, suite
from eval_files import UNTIMED
from pytest_llm_diagnosis.diagnosis import Confirmation, compare, diagnose
from pytest_llm_diagnosis.records import (
    Answer,
    Ask,
    CaseResult,
    Finding,
    Given,
    Grade,
    RunFacts,
    Tokens,
    Trial,
    Verdict,
)
from pytest_llm_diagnosis.report.comparing import compared
from pytest_llm_diagnosis.report.escaping import markdown_escaped
from pytest_llm_diagnosis.report.lines import one_line
from pytest_llm_diagnosis.report.markdown import (
    LIMIT,
    append_markdown,
    markdown_text,
    write_markdown,
)
from pytest_llm_diagnosis.report.view import View

GOLDEN = Path(__file__).parent / "golden"
RUN = RunFacts(seed=7, started="2026-01-01T00:00:00+00:00", calls=120, usd=0.1234)


def view(
    results: list[CaseResult], run: RunFacts = RUN, *, probing: bool = True
) -> View:
    """Return a finished run of these results."""
    diagnosis = diagnose(results, seed=7, probing=probing)
    return View(run=run, results=tuple(results), diagnosis=diagnosis)


def unprobed(passing: int, failing: int) -> list[CaseResult]:
    """Return a run in which nothing was asked again."""
    failed = [result(f"k-{n}", "failed", line=10 + n) for n in range(failing)]
    return [*suite(passing), *failed]


def two_variants() -> list[CaseResult]:
    """Return a run in which a second variant fixes and breaks."""
    base = suite(20, knowledge=12)
    rag = [
        replace(
            one,
            variant="rag",
            nodeid=one.nodeid.replace("base", "rag"),
            outcome="failed" if one.id == "pass-3" else "passed",
            trials=result(outcome="failed").trials
            if one.id == "pass-3"
            else result().trials,
            finding=None,
        )
        for one in base
    ]
    return [*base, *rag]


def lost() -> list[CaseResult]:
    """Return a run with errors, skips and a mark that contradicts its cause."""
    results = suite(30, knowledge=13, both=2)
    results[31] = replace(
        results[31], mark="behavior", trials=result(grades=grade("", "-")).trials
    )
    broken = [
        replace(
            result(f"lost-{n}", "error", line=500 + n),
            trials=(Trial(error="503 overloaded"),),
            message="503 overloaded | try <later>",
        )
        for n in range(2)
    ]
    return [*results, *broken, result("later", "skipped", line=600)]


def confirmed() -> View:
    """Return a run whose advice was tried on the whole suite."""
    results = suite(20, knowledge=14)
    after = [replace(one, outcome="passed") for one in results]
    after[0] = replace(after[0], outcome="failed")
    change = compare(results, after)
    shown = view(results)
    confirmation = Confirmation(variant="base", arm="E", change=change)
    return replace(shown, confirmations=(confirmation,))


def priced(one: CaseResult, prompt: int, seconds: float, **arms: int) -> CaseResult:
    """Return the case with so many prompt tokens and seconds, and those of its arms.

    Each arm was asked twice; a token costs a millionth of a dollar.
    """

    def trial(tokens: int) -> Trial:
        counted = Tokens(prompt=tokens, completion=12)
        usd = tokens / 1_000_000
        answer = Answer(text="t", tokens=counted, usd=usd, seconds=seconds)
        return Trial(answer=answer, grade=one.trials[0].grade)

    finding = one.finding
    if finding is not None:
        asks = {
            arm: (Ask(facts=_helps(arm, one), trial=trial(tokens)),) * 2
            for arm, tokens in arms.items()
        }
        finding = replace(finding, arms={**finding.arms, **asks})
    return replace(one, trials=(trial(prompt),), finding=finding)


def _helps(arm: str, one: CaseResult) -> bool:
    helped = {"S": "instruction", "E": "knowledge"}
    return one.finding is not None and one.finding.cause == helped[arm]


def as_variant(
    name: str, results: list[CaseResult], failing: set[str], prompt: int, seconds: float
) -> list[CaseResult]:
    """Return the results of another variant, of which these cases fail."""
    return [
        replace(
            priced(
                result(one.id, "failed" if one.id in failing else "passed",
                       mark=one.mark, line=one.line, variant=name),
                prompt, seconds,
            ),
            asks_facts=one.asks_facts, asks_form=one.asks_form,
        )
        for one in results
    ]  # fmt: skip


GIVEN = (
    Given(
        name="base", kind="prompt", model="openai/gpt-4.1-mini", provider="openai",
        changes={"instructed": ("system",), "rag": ("retrieve",), "tuned": ("model",),
                 "tuned_rag": ("retrieve", "model")},
    ),
    Given(
        name="instructed", kind="prompt", model="openai/gpt-4.1-mini", gives=("system",)
    ),
    Given(
        name="rag", kind="retrieval", model="openai/gpt-4.1-mini", gives=("retrieve",)
    ),
    Given(name="tuned", kind="weights", model="openai/ft:gpt-4.1-mini"),
    Given(
        name="tuned_rag", kind="weights", model="openai/ft:gpt-4.1-mini",
        gives=("retrieve",),
    ),
)  # fmt: skip


def several_variants() -> View:
    """Return a run of four variants: who fixes what, at which price, after Holm."""
    causes = {"knowledge": 13, "instruction": 3, "behavior": 4}
    base = [
        priced(one, 40, 0.5, S=62, E=160) if one.finding else priced(one, 40, 0.5)
        for one in suite(24, **causes)
    ]
    failing = [one.id for one in base if one.outcome == "failed"]
    knowledge = {name for name in failing if name.startswith("knowledge")}
    results = [
        *base,
        *as_variant("instructed", base, knowledge | {"behavior-0"}, 65, 0.52),
        *as_variant("rag", base, set(failing) - knowledge | {"pass-1"}, 240, 0.75),
        *as_variant("tuned_rag", base, {"knowledge-1"}, 240, 0.8),
    ]
    diagnosis = diagnose(results, seed=7, given=GIVEN, probing=True)
    return View(run=RUN, results=tuple(results), diagnosis=diagnosis)


def fine_tuned() -> View:
    """Return a fine-tune of a knowledge gap: the house style, and the wrong facts."""
    base = suite(12, behavior=14, knowledge=1)
    ignorant = [
        replace(
            result(f"fact-{n}", "failed", grades=grade("-", "-"), line=300 + n),
            finding=Finding(cause="both", rung="behavior"),
        )
        for n in range(6)
    ]
    styled = {one.id: grade("-", "+") for one in ignorant[:4]}
    styled["pass-3"] = grade("-", "+")
    tuned = [
        result(one.id, "failed" if one.id in styled else "passed", mark=one.mark,
               line=one.line, variant="tuned", grades=styled.get(one.id, grade()))
        for one in (*base, *ignorant)
    ]  # fmt: skip
    results = [*base, *ignorant, *tuned]
    diagnosis = diagnose(results, seed=7, given=GIVEN, probing=True)
    return View(run=RUN, results=tuple(results), diagnosis=diagnosis)


def all_errors() -> list[CaseResult]:
    """Return a run in which no call was answered."""
    return [
        replace(
            result(f"c-{n}", "error", line=10 * n + 1),
            trials=(Trial(error="401 no such key"),),
            message="401 no such key",
        )
        for n in range(3)
    ]


def disguised() -> list[CaseResult]:
    """Return a run with costumes of both kinds, beside what is plainly marked."""
    results = suite(30, knowledge=9, instruction=2)
    wrong = grade("-", "+")
    hidden = [
        replace(one, trials=result("x", "failed", grades=wrong).trials)
        for one in results[-2:]
    ]
    marked = result("mislabelled", "failed", cause="examples", line=700)
    return [*results[:-2], *hidden, marked]


def worse() -> View:
    """Return a run that lost cases against its baseline."""
    before = view(suite(30, knowledge=4))
    lost = {f"pass-{n}" for n in range(9)}
    after = [
        result(one.id, "failed", line=800, cause="knowledge") if one.id in lost else one
        for one in before.results
    ]
    later = view(after)
    return replace(later, comparison=compared(before, later, "old.json"))


ENDINGS = {
    "knowledge": view(suite(29, knowledge=13, instruction=1, examples=1, unstable=3)),
    "behavior": view(suite(30, behavior=12, knowledge=1, examples=1)),
    "both": view(suite(30, knowledge=13, behavior=5, instruction=7)),
    "neither_yet": view(suite(20, instruction=8, examples=4, behavior=4)),
    "unstable": view(suite(20, unstable=13, knowledge=6, behavior=2)),
    "faulty_checks": view(suite(30, check_suspect=5, knowledge=16)),
    "too_little_data": view(suite(17, knowledge=3)),
    "no_failures": view(suite(20)),
    "no_cases": view([]),
    "not_probed": view(unprobed(10, 4), probing=False),
    "two_variants": view(two_variants()),
    "lost": view(
        lost(),
        replace(RUN, interrupted=True, retries=3, waited=1.5, notes=("x: y\n  z",)),
    ),
    "confirmed": confirmed(),
    "leaning": view(suite(30, knowledge=7, behavior=2)),
    "withheld_evidence": view(
        [
            *suite(10, instruction=8),
            *(
                result(
                    f"b-{n}",
                    "failed",
                    line=400 + n,
                    finding=Finding(cause="unexplained", untested=("E",)),
                )
                for n in range(5)
            ),
        ]
    ),
    "all_errors": view(all_errors()),
    "several_variants": several_variants(),
    "fine_tuned": fine_tuned(),
    "label_audit": view(disguised()),
    "regression": worse(),
    "over_budget": view(
        suite(9, knowledge=3),
        replace(RUN, unasked=7, notes=("2 failures not probed: the budget is spent",)),
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending(ending: str) -> None:
    """Verdict and next step, evidence, what was not covered, failing cases."""
    golden = (GOLDEN / f"{ending}.md").read_text(encoding="utf-8")
    assert markdown_text(ENDINGS[ending]) == golden


HOSTILE = [
    ("a | b", "a &#124; b"),
    ("`code`", "&#96;code&#96;"),
    ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
    ("</details>", "&lt;/details&gt;"),
    ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
    ("![x](y) [x](y)", r"!\[x\](y) \[x\](y)"),
    ("**bold** _x_ ~~y~~", r"\*\*bold\*\* \_x\_ \~\~y\~\~"),
    ("@octocat and @org/team", "@&#8203;octocat and @&#8203;org/team"),
    ("see #12 and GH-3", "see #&#8203;12 and GH-&#8203;3"),
    ("https://a.b www.a.b", "https:&#8203;//a.b www&#8203;.a.b"),
    ("mailto:x", "mailto:&#8203;x"),
    ("\\| x", "&#92;&#124; x"),
    ("$x$", "&#36;x&#36;"),
    ("::error::x", "&#92;x3a:error::x"),
    ("##[error]x", r"&#92;x23#\[error\]x"),
    ("\x1b[31m\x00", r"&#92;x1b\[31m&#92;x00"),
    ("\ud800\u202e", "&#92;ud800&#92;u202e"),
    ("a\n\n# b\n| c |", "a # b &#124; c &#124;"),
    ("# x", r"\# x"),
    ("- x", r"\- x"),
    ("1. x", r"1\. x"),
    ("===", r"\==="),
]


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_hostile_text_is_mere_text(text: str, shown: str) -> None:
    """Neither markup nor HTML, no link, no mention, no command, no block."""
    assert markdown_escaped(text) == shown


@UNTIMED
@given(st.text(alphabet=st.characters(codec=None) | st.sampled_from("|`<&@#:[]\\\n")))
def test_escapes_hide_nothing(text: str) -> None:
    """What a reader sees is the printable text; no sign of structure is left."""
    escaped = markdown_escaped(text)
    assert not set(escaped) & set("|`<>\n\r")
    escaped.encode("utf-8")
    for sign in "*_~[]-+=#.)":
        # A backslash of the text is an entity, so each one here is an escape.
        escaped = escaped.replace(f"\\{sign}", sign)
    assert "\\" not in escaped
    shown = unescape(escaped.replace("&#8203;", ""))
    assert shown == one_line(text, 2000)


def test_hostile_answers_stay_in_their_cell() -> None:
    """A row has its five cells, and the fold its one end, whatever was said."""
    said = " | </details>\n\n# x\n::error::y `z @octocat"
    facts = (Verdict(check="a", passed=False, code="a:missing", reason=said),)
    hostile = result("a|b", "failed", cluster="c", grades=Grade(facts=facts))
    text = markdown_text(view([hostile]))
    (row,) = [line for line in text.splitlines() if "x.eval.yaml:1 " in line]
    assert row.count("|") == 6
    assert text.count("</details>") == 1
    assert "\n::" not in text
    assert "@octocat" not in text


def test_a_long_report_says_what_is_left_out() -> None:
    """It stays under what GitHub shows, and no case goes silently."""
    text = markdown_text(view(unprobed(5, 1000)), 20_000)
    assert len(text.encode()) <= 20_000
    rows = sum(line.startswith("| x.eval.yaml:") for line in text.splitlines())
    assert 100 < rows < 1000
    assert f"\n{1000 - rows} more failing cases left out: too long" in text
    assert text.endswith("\n</details>\n")


def test_a_step_summary_is_appended_to(tmp_path: Path) -> None:
    """What other steps wrote stays, and counts against the size."""
    path = tmp_path / "summary.md"
    path.write_text("before", encoding="utf-8")
    append_markdown(path, ENDINGS["knowledge"])
    assert path.read_text("utf-8") == "before\n\n" + markdown_text(ENDINGS["knowledge"])
    path.write_text("x" * LIMIT, encoding="utf-8")
    append_markdown(path, ENDINGS["knowledge"])
    assert len(path.read_bytes()) < LIMIT + 1000
    assert "18 more failing cases left out" in path.read_text("utf-8")


def test_a_report_is_written_into_a_new_folder(tmp_path: Path) -> None:
    """As the JSON report is."""
    path = tmp_path / "new" / "report.md"
    write_markdown(path, ENDINGS["both"])
    assert path.read_text("utf-8") == markdown_text(ENDINGS["both"])
