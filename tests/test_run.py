"""A whole run, seen from outside: collection, answers, failures, the summary."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from conftest import EvalSuite, block
from pytest_llm_diagnosis.records import JsonObject

SUMMARY = ("llm diagnosis", "^(=|FAILED)")


def cases_of(report: JsonObject) -> dict[str, JsonObject]:
    """Return the report's cases by node id."""
    cases = cast("list[JsonObject]", report["cases"])
    return {str(case["nodeid"]): case for case in cases}


def test_cases_are_items_of_their_file(suite: EvalSuite) -> None:
    """A node id is file, case and variant; cases keep their order."""
    result = suite.run("--co", "-q", "--llm-variant=base,rag")
    assert result.outlines[:6] == [
        "a.eval.yaml::boots-window[base]",
        "a.eval.yaml::boots-window[rag]",
        "a.eval.yaml::worn-window[base]",
        "a.eval.yaml::worn-window[rag]",
        "a.eval.yaml::capital[base]",
        "a.eval.yaml::capital[rag]",
    ]


@pytest.mark.parametrize(
    ("arguments", "outcomes"),
    [
        (["-m", "knowledge"], {"failed": 2, "deselected": 1}),
        (["-m", "behavior"], {"failed": 1, "deselected": 2}),
        (["-k", "boots"], {"failed": 1, "deselected": 2}),
        (["--llm-variant=all"], {"failed": 6, "passed": 3}),
        (["--llm-variant=rag,instructed"], {"failed": 3, "passed": 3}),
        (["a.eval.yaml::capital[base]"], {"failed": 1}),
        (["-x"], {"failed": 1}),
    ],
)
def test_selection_is_pytests(
    suite: EvalSuite, arguments: list[str], outcomes: dict[str, int]
) -> None:
    """Marks, keywords, variants, node ids and `-x` select as ever."""
    suite.run(*arguments).assert_outcomes(**outcomes)


def test_each_item_carries_its_own_line(suite: EvalSuite) -> None:
    """The report of an item names the eval file and the line of its case."""
    reports = suite.pytester.inline_run().getreports("pytest_runtest_logreport")
    places = {report.location[2]: report.location[:2] for report in reports}
    assert places == {
        "boots-window[base]": ("a.eval.yaml", 3),
        "worn-window[base]": ("a.eval.yaml", 10),
        "capital[base]": ("a.eval.yaml", 17),
    }


def test_without_a_default_nothing_is_asked(suite: EvalSuite) -> None:
    """No variant chosen: every case is skipped, with the way to choose one."""
    suite.write_file("llm_variants.yaml", VARIANTS_WITHOUT_DEFAULT)
    result = suite.run("-rs")
    result.assert_outcomes(skipped=3)
    result.stdout.fnmatch_lines(["*no variant chosen: give --llm-variant NAME*"])
    result.stdout.no_fnmatch_line("*calls planned*")


VARIANTS_WITHOUT_DEFAULT = """\
variants:
  base: {script: answers.yaml}
"""


def test_an_unknown_variant_ends_the_run_with_the_list(suite: EvalSuite) -> None:
    """The nearest name comes first, then all of them."""
    result = suite.run("--llm-variant=rga")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    error = result.stderr.str()
    assert "rga" in error
    assert "did you mean 'rag'? variants: base, rag, instructed, all" in error


def test_a_failure_shows_what_was_asked_and_what_was_wrong(suite: EvalSuite) -> None:
    """Prompt, contexts, answer, each failed check; no traceback."""
    result = suite.run("--llm-variant=rag", "-k", "capital", "--llm-probe=off")
    shown = block(result, r"_ capital\[rag\] _", "= llm diagnosis =")
    assert shown == FAILURE


# ruff: noqa: E501 - whole lines of the terminal
FAILURE = """\
_________________________________ capital[rag] _________________________________
a.eval.yaml:18: json:invalid: not JSON: Expecting value: line 1 column 1 (char 0): 'The capital of France is Paris.'
capital (behavior), asked of rag
system:
  You answer for Northwind Outfitters.
user:
  What is the capital of France?
answer:
  The capital of France is Paris.
form: json failed [json:invalid] not JSON: Expecting value: line 1 column 1 (char 0): 'The capital of France is Paris.'"""


def test_long_texts_are_cut_with_a_count(suite: EvalSuite) -> None:
    """A long answer is cut, and shown in full with `-vv`."""
    suite.write_file("answers.yaml", f"rules:\n  - text: {'word ' * 500}\n")
    cut = suite.run("-k", "boots", "--llm-probe=off")
    cut.stdout.fnmatch_lines(["*... 1899 more characters (-vv shows all)"])
    full = suite.run("-k", "boots", "--llm-probe=off", "-vv")
    assert full.stdout.str().count("word") >= 500


def test_the_summary_compares_variants(suite: EvalSuite) -> None:
    """Failures by mark, what failed, what each variant fixes and breaks."""
    result = suite.run("--llm-variant=base,rag", "--tb=no", "--llm-probe=off")
    shown = block(result, *SUMMARY)
    assert shown == COMPARED


COMPARED = """\
================================ llm diagnosis =================================
base: verdict: none about causes: no failing case was asked again.
next: run with --llm-probe standard to learn why these cases fail.

failed  knowledge  behavior  facts  form
base    2 of 2     1 of 1        2     1
rag     0 of 2     1 of 1        0     1

against base  mark       fixes   breaks  mid-p
rag           knowledge  2 of 2  0 of 0  no difference detected (2 discordant)
rag           behavior   0 of 1  0 of 0  no difference detected (0 discordant)

rag: the gold passage was the one retrieved in 2 of 2 cases

rag: its passages add about 12 prompt tokens a case (estimated)

fixes tried on base, and what each adds to a case:
  fix        by   fixed   seconds
  retrieval  rag  2 of 3 N s
  extra tokens, USD: not measured
  instruction, 3 examples, long context, fine-tune: not tried

run: 5 calls, 0 stored answers; cost unknown"""


def test_the_advised_fix_can_be_confirmed(suite: EvalSuite) -> None:
    """`--llm-confirm` runs all cases under the fix that the verdict names."""
    suite.write_file("a.eval.yaml", MANY_IGNORANT)
    suite.write_file("docs/facts.md", FACTS)
    suite.write_file("answers.yaml", READS_PASSAGES)
    result = suite.run("--llm-confirm", "--tb=no")
    result.stdout.fnmatch_lines(
        ["verdict: KNOWLEDGE*", "next: put the source in context*", "confirmed: *"]
    )
    shown = block(result, "^confirmed", "^$")
    assert shown == CONFIRMED
    report = suite.report("--llm-confirm")
    (confirmation,) = cast("list[JsonObject]", report["confirmations"])
    assert (confirmation["arm"], confirmation["broken"]) == ("E", ["c8"])
    assert len(cast("list[str]", confirmation["fixed"])) == 8


MANY_IGNORANT = """\
cases:
  - id: c{n}
    each: [{n: 0}, {n: 1}, {n: 2}, {n: 3}, {n: 4}, {n: 5}, {n: 6}, {n: 7}, {n: 8}]
    mark: knowledge
    prompt: What is item {n}?
    evidence: docs/facts.md#item-{n}
    facts: [{contains: "w{n}"}]
"""
FACTS = "\n".join(f"# Item {n}\n\nItem {n} is w{n}.\n" for n in range(9))
# The model reads what it is shown, but for item 8, which it knows by heart.
READS_PASSAGES = "\n".join(
    [
        "rules:",
        "  - {contains: is w8, text: I cannot say.}",
        "  - {contains: What is item 8, text: It is w8.}",
        *(f"  - {{contains: is w{n}, text: It is w{n}.}}" for n in range(8)),
        "  - {text: I cannot say.}",
    ]
)
CONFIRMED = """\
confirmed: with the passage 8 cases fixed, 1 broken (mid-p 0.021): c8. (9 cases
  of base asked so)"""


def test_a_failing_python_test_is_probed(suite: EvalSuite) -> None:
    """Its function runs again under each arm that its mark allows."""
    suite.write_file("test_app.py", PROBED_TESTS)
    cases = cases_of(suite.report("test_app.py"))
    told = {str(case["id"]): case["cause"] for case in cases.values()}
    assert told == {
        "test_knows": "knowledge",
        "test_answers": "instruction",
        "test_stateful": None,
    }
    result = suite.run("test_app.py")
    result.stdout.fnmatch_lines(["note: *test_stateful* not tested: it uses other *"])


PROBED_TESTS = """\
import pytest


@pytest.mark.knowledge(evidence="docs/returns.md#unworn-goods")
def test_knows(llm):
    assert "45" in llm("How many days for unworn boots?").text


@pytest.mark.behavior(instruction="Answer with JSON.")
def test_answers(llm):
    assert llm("What is the capital of France?").text.startswith("{")


@pytest.mark.behavior
def test_stateful(llm, tmp_path):
    assert llm("What is the capital of France?").text.startswith("{")
"""


def test_a_second_run_makes_no_call(suite: EvalSuite) -> None:
    """Answers are kept; the header says so before the first item."""
    first = suite.run()
    first.stdout.fnmatch_lines(["llm: 3 calls planned, 0 stored*"])
    first.stdout.fnmatch_lines(["run: * calls, 0 stored answers*"])
    second = suite.run()
    second.stdout.fnmatch_lines(["llm: 3 calls planned, 3 stored*"])
    second.stdout.fnmatch_lines(["run: 0 calls, * stored answers; nothing paid"])


def test_fresh_answers_are_asked_anew(suite: EvalSuite) -> None:
    """`--llm-answers=fresh` passes the store by, and refills it."""
    suite.run("--llm-probe=off")
    fresh = suite.run("--llm-probe=off", "--llm-answers=fresh")
    fresh.stdout.fnmatch_lines(["run: 3 calls, 0 stored answers*"])


def test_recorded_answers_are_replayed(suite: EvalSuite) -> None:
    """A recording holds probes too, so a replay diagnoses without a call."""
    suite.run("--llm-record")
    assert (suite.path / "recordings" / "base.jsonl").exists()
    (suite.path / "answers.yaml").write_text("rules: []\n", encoding="utf-8")
    replayed = suite.report("--llm-answers=replay")
    run = cast("JsonObject", replayed["run"])
    assert run["calls"] == 0
    causes = {name: case["cause"] for name, case in cases_of(replayed).items()}
    assert causes == {
        "a.eval.yaml::boots-window[base]": "knowledge",
        "a.eval.yaml::worn-window[base]": "knowledge",
        "a.eval.yaml::capital[base]": "instruction",
    }


def test_a_replay_miss_is_an_error_that_shows_what_differs(suite: EvalSuite) -> None:
    """The nearest recorded request and the part that differs are named."""
    suite.run("--llm-record", "--llm-probe=off")
    eval_file = suite.path / "a.eval.yaml"
    changed = eval_file.read_text(encoding="utf-8").replace("unworn boots", "new boots")
    eval_file.write_text(changed, encoding="utf-8")
    result = suite.run("--llm-answers=replay", "--llm-probe=off")
    result.assert_outcomes(errors=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "a.eval.yaml:4: no recorded answer for a.eval.yaml::boots-window*",
            "nearest recorded request: *base.jsonl:1: a.eval.yaml::boots-window*",
        ]
    )


def test_a_report_that_was_asked_for_is_written(suite: EvalSuite) -> None:
    """A run that selects nothing leaves an empty report, not the last one."""
    suite.report("--llm-probe=off")
    assert suite.report("-k", "nothing")["cases"] == []


def test_python_tests_enter_the_report(suite: EvalSuite) -> None:
    """A marked test with `llm` runs for each variant, beside the cases."""
    suite.write_file("test_app.py", PYTHON_TESTS)
    report = suite.report("--llm-variant=base,rag", "--llm-probe=off")
    cases = cases_of(report)
    case = cases["test_app.py::test_boots[base]"]
    assert (case["mark"], case["outcome"], case["line"]) == ("knowledge", "failed", 4)
    trial = cast("list[JsonObject]", case["trials"])[0]
    assert trial["text"] == "You have 30 days."
    assert cast("list[JsonObject]", trial["facts"])[0]["code"] == "assertion:failed"
    assert cases["test_app.py::test_boots[rag]"]["outcome"] == "passed"
    assert cases["test_app.py::test_two[rag-x]"]["id"] == "test_two[x]"
    assert "test_app.py::test_unmarked[base]" not in cases


def test_a_failing_python_test_shows_what_it_asked(suite: EvalSuite) -> None:
    """Beside pytest's own explanation stand question and answer."""
    suite.write_file("test_app.py", PYTHON_TESTS)
    result = suite.run("test_app.py", "-k", "boots", "--llm-probe=off")
    shown = block(result, "- llm -", "= llm diagnosis")
    assert shown.splitlines()[1:] == [
        "user:",
        "  How many days for unworn boots?",
        "answer:",
        "  You have 30 days.",
    ]


PYTHON_TESTS = """\
import pytest


@pytest.mark.knowledge
def test_boots(llm):
    assert "45" in llm("How many days for unworn boots?").text


@pytest.mark.behavior
@pytest.mark.parametrize("other", ["x"])
def test_two(llm, other):
    assert llm("capital").text != llm("capital", system="JSON").text


def test_unmarked(llm):
    assert llm("hello").text
"""


def test_passages_are_recorded_as_contexts(suite: EvalSuite) -> None:
    """What `rag` retrieved stands in the report and in the failure."""
    report = suite.report("--llm-variant=rag", "--llm-probe=off")
    trials = cases_of(report)["a.eval.yaml::boots-window[rag]"]["trials"]
    (context,) = cast(
        "list[JsonObject]", cast("list[JsonObject]", trials)[0]["contexts"]
    )
    assert context["source"] == "docs/returns.md#unworn-goods"
    assert "within 45 days" in str(context["text"])


def test_trials_and_pass_at(suite: EvalSuite) -> None:
    """A case passes when enough of its trials do."""
    suite.write_file(
        "answers.yaml",
        """\
        rules:
          - {trial: 0, text: no}
          - {text: "yes"}
        """,
    )
    suite.write_file(
        "a.eval.yaml",
        """\
        defaults: {mark: knowledge, prompt: "?", facts: [contains: "yes"], trials: 3}
        cases:
          - {id: two, pass_at: 2}
          - {id: three, pass_at: 3}
        """,
    )
    cases = cases_of(suite.report("--llm-probe=off"))
    outcomes = {str(case["id"]): case["outcome"] for case in cases.values()}
    assert outcomes == {"two": "passed", "three": "failed"}


def test_skips_expected_failures_and_tags(suite: EvalSuite) -> None:
    """`skip` and `xfail` are pytest's own; tags are markers, also strict ones."""
    suite.write_file(
        "a.eval.yaml",
        """\
        defaults: {mark: knowledge, prompt: "?", facts: [contains: x]}
        cases:
          - {id: later, skip: not yet}
          - {id: known, xfail: issue 7}
          - {id: tagged, tags: [smoke]}
        """,
    )
    result = suite.run("--strict-markers", "--llm-probe=off")
    result.assert_outcomes(skipped=1, xfailed=1, failed=1)
    suite.run("--strict-markers", "-m", "smoke").assert_outcomes(failed=1, deselected=2)
    cases = cases_of(suite.report("--llm-probe=off"))
    told = {
        str(case["id"]): (case["outcome"], case["message"]) for case in cases.values()
    }
    assert told == {
        "later": ("skipped", "not yet"),
        "known": ("skipped", "expected to fail: issue 7"),
        "tagged": ("failed", None),
    }


def test_a_spent_call_budget_skips_the_rest(suite: EvalSuite) -> None:
    """Cases beyond the budget are skipped with the reason."""
    result = suite.run("--llm-max-calls=1", "--llm-probe=off", "-rs")
    result.assert_outcomes(failed=1, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "partial: the budget left 2 of 3 cases unasked",
            "SKIPPED * a.eval.yaml:11: the budget of 1 call is spent",
        ]
    )


@pytest.mark.parametrize(
    "option",
    [
        "--llm-trials=0",
        "--llm-concurrency=none",
        "--llm-report=report.pdf",
        "--llm-seed=-1",
    ],
)
def test_a_bad_option_is_one_clean_line(suite: EvalSuite, option: str) -> None:
    """What is wrong and what would be right, before anything runs."""
    result = suite.run(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert len(result.errlines) <= 2
    assert option.split("=", maxsplit=1)[0] in result.stderr.str()


def test_ini_twins(suite: EvalSuite) -> None:
    """Every option has an ini twin."""
    suite.write_file(
        "pytest.ini",
        """\
        [pytest]
        llm_variant = rag
        llm_probe = off
        """,
    )
    suite.run().assert_outcomes(passed=2, failed=1)


def test_workers_come_to_the_same_result(suite: EvalSuite) -> None:
    """Under `-n 2` the controller tells what a single process tells."""
    one = suite.report("--llm-variant=all")
    two = suite.report("--llm-variant=all", "-n2")
    assert cases_without_times(one) == cases_without_times(two)
    assert one["variants"] == two["variants"]
    assert one["flips"] == two["flips"]


def cases_without_times(report: JsonObject) -> object:
    """Return what must not depend on how the work was shared."""
    return {
        name: [
            without_times(case[key])
            for key in ("outcome", "cause", "arms", "costume", "line")
        ]
        for name, case in cases_of(report).items()
    }


def without_times(data: object) -> object:
    """Return data without how long a call took and who had it stored."""
    if isinstance(data, dict):
        kept = {k: v for k, v in data.items() if k not in {"seconds", "stored"}}
        return {key: without_times(value) for key, value in kept.items()}
    return [without_times(one) for one in data] if isinstance(data, list) else data


def test_every_ask_keeps_its_answer_and_what_checks_said(suite: EvalSuite) -> None:
    """So does each case its prompt and reference, for whoever reads the report."""
    case = cases_of(suite.report())["a.eval.yaml::boots-window[base]"]
    assert case["messages"] == [
        {"role": "system", "content": "You answer for Northwind Outfitters."},
        {
            "role": "user",
            "content": "How many days do customers have to return unworn boots?",
        },
    ]
    assert case["ideal"] == {"text": "45 days from delivery.", "tool_calls": []}
    arms = cast("dict[str, list[JsonObject]]", case["arms"])
    trials = {arm: cast("JsonObject", asks[0]["trial"]) for arm, asks in arms.items()}
    assert trials["R"]["text"] == "You have 30 days."
    assert trials["E"]["text"] == "You have 45 days."
    (verdict,) = cast("list[JsonObject]", trials["R"]["facts"])
    assert verdict["code"] == "number:other"


def test_workers_pay_no_call_twice(suite: EvalSuite, tmp_path: Path) -> None:
    """Two workers that both run ahead ask each request once."""
    suite.write_file(
        "llm_variants.yaml", "default: app\nvariants: {app: {call: 'app:answer'}}"
    )
    suite.write_file(
        "app.py",
        f"""\
        import time
        def answer(request):
            time.sleep(0.05)
            with open({str(tmp_path / "calls")!r}, "a") as file:
                file.write(str(request.messages[-1]["content"]) + chr(10))
            return "none"
        """,
    )
    suite.run("-n2", "--llm-probe=off")
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert len(calls) == len(set(calls)) == 3
