"""What a terminal shows at the end of a run: golden files of its endings.

Each ending is that of `test_markdown`, so both reports tell the same run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import EvalSuite, block
from diagnosed import result, suite
from pytest_llm_diagnosis.diagnosis import diagnose
from pytest_llm_diagnosis.records import RunFacts
from pytest_llm_diagnosis.report.layout import WIDTH, table_lines, wrapped
from pytest_llm_diagnosis.report.lines import Line
from pytest_llm_diagnosis.report.terminal import quiet_lines, run_text, summary_lines
from pytest_llm_diagnosis.report.view import View
from test_markdown import ENDINGS, fine_tuned, several_variants

GOLDEN = Path(__file__).parent / "golden" / "terminal"
NARROW = 40
SHAPES = {
    **{name: summary_lines(ending) for name, ending in ENDINGS.items()},
    "narrow": summary_lines(several_variants(), width=NARROW),
    "narrow_fine_tuned": summary_lines(fine_tuned(), width=NARROW),
    "verbose": summary_lines(ENDINGS["label_audit"], causes=True),
    "quiet": quiet_lines(several_variants()),
    "quiet_lost": quiet_lines(ENDINGS["lost"]),
    "quiet_regression": quiet_lines(ENDINGS["regression"]),
}


def text_of(lines: Sequence[Line]) -> str:
    """Return lines as a terminal shows them."""
    return "".join(f"{line.text}\n" for line in lines)


@pytest.mark.parametrize("name", SHAPES)
def test_an_ending(name: str) -> None:
    """Verdict and next step first, then the evidence, the audit, what is missing."""
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert text_of(SHAPES[name]) == golden


def test_every_golden_file_is_of_an_ending() -> None:
    """None is left of one that is gone."""
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(SHAPES)


@pytest.mark.parametrize("width", [NARROW, 60, WIDTH])
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_line_fits_the_terminal(ending: str, width: int) -> None:
    """Only a word that cannot be broken, such as a path, may stick out."""
    shown = ENDINGS[ending]
    lines = [*summary_lines(shown, causes=True, width=width)]
    lines += quiet_lines(shown, width=width)
    wide = [line.text for line in lines if len(line.text) > width]
    assert all(len(text.split()) == 1 for text in wide)
    assert width < WIDTH or not wide
    assert all(line.text.isascii() for line in lines)


def test_the_verdict_comes_first_and_the_calls_last() -> None:
    """A reviewer reads the top, and the figures of the run close it."""
    for ending in ENDINGS.values():
        texts = [line.text for line in summary_lines(ending)]
        if ending.results:
            assert "verdict" in texts[0]
        assert any(text.startswith("run: ") for text in texts[-3:])


MEANINGS = [
    ("no_failures", "good"),
    ("knowledge", "head"),
    ("behavior", "head"),
    ("unstable", "head"),
    ("leaning", "warn"),
    ("too_little_data", "warn"),
    ("faulty_checks", "warn"),
    ("not_probed", "warn"),
]


@pytest.mark.parametrize(("ending", "style"), MEANINGS)
def test_a_verdict_is_coloured_by_what_it_means(ending: str, style: str) -> None:
    """Green where nothing failed, yellow where nothing is settled, else bold."""
    assert summary_lines(ENDINGS[ending])[0].style == style


def test_rows_are_coloured_by_what_they_mean() -> None:
    """A variant that is better beyond chance is green; one that only seems so is not.

    So is what a fine-tune broke, and what it makes look right: red.
    """
    styles = {line.text: line.style for line in summary_lines(several_variants())}
    by_row = {tuple(text.split()[:2]): style for text, style in styles.items()}
    assert by_row["rag", "knowledge"] == "good"
    assert by_row["instructed", "knowledge"] == "plain"
    tuned = [line for line in summary_lines(fine_tuned()) if line.style == "bad"]
    assert any("house style" in line.text for line in tuned)
    assert any("broken: x.eval.yaml" in line.text for line in tuned)


@pytest.mark.parametrize("suspects", [1, 5])
def test_hostile_names_are_mere_text(suspects: int) -> None:
    """An id or a note may hold what a terminal or a CI log would obey.

    With five suspects the verdict itself names them.
    """
    evil = "\x1b[31m\n::error::x"
    results = [
        replace(one, id=evil, variant="b\x07", cluster=str(number))
        for number, one in enumerate(suite(4, check_suspect=suspects, knowledge=9))
    ]
    results.append(result(evil, "failed", cause="examples", variant="b\x07"))
    run = RunFacts(seed=7, started="", notes=(f"a note {evil}",))
    shown = View(run=run, results=tuple(results), diagnosis=diagnose(results, seed=7))
    lines = [*summary_lines(shown, causes=True), *quiet_lines(shown)]
    assert all(line.text.isprintable() for line in lines)
    assert not any(line.text.lstrip().startswith("::") for line in lines)


def test_a_table_that_does_not_fit_becomes_sentences() -> None:
    """A row each, every cell behind the head of its column."""
    table = [["fix", "fixed", "USD"], ["a", "1 of 2", "+0.5"]]
    assert text_of(list(table_lines(table))) == "fix  fixed    USD\na    1 of 2  +0.5\n"
    assert text_of(list(table_lines(table, 16))) == "a: fixed 1 of 2, USD +0.5\n"
    assert not list(table_lines([["fix", "fixed"]]))


def test_a_path_stays_whole() -> None:
    """So that it can be clicked and copied."""
    path = "a-very/long-path/that-is/not-to-be/broken.eval.yaml:12"
    rows = [line.text for line in wrapped(f"  see {path} there", "plain", 30)]
    assert rows == ["  see", f"    {path}", "    there"]


# -- through pytest ------------------------------------------------------------


def test_quiet_is_a_line_a_variant(suite: EvalSuite) -> None:
    """With `-q`; no heading, no table, no advice."""
    shown = suite.run("--llm-variant=base,rag", "--tb=no", "-q", "-rN")
    lines = [line for line in shown.outlines if line.startswith("llm ")]
    assert lines == [
        (
            "llm base: 3 of 3 failed (knowledge 2 of 2, behavior 1 of 1); "
            "TOO LITTLE DATA"
        ),
        "llm rag: 1 of 3 failed (knowledge 0 of 2, behavior 1 of 1)",
    ]
    assert "llm diagnosis" not in shown.stdout.str()
    assert "next:" not in shown.stdout.str()


def test_verbose_tells_each_case_its_cause(suite: EvalSuite) -> None:
    """With `-v`, at the place of the case."""
    shown = suite.run("--tb=no", "-v", "-rN", "-k", "boots")
    assert block(shown, "^causes", "^$") == (
        "causes, case by case:\n"
        "a.eval.yaml:4 boots-window[base]: knowledge, P=0.99: wrong in 2 of 2 asked "
        "again\n"
        "  unchanged, wrong in 1 of 1 in free form, right in 1 of 1 with the passage\n"
        "  [deterministic replay: instability not testable]"
    )


def test_a_failed_gate_stands_below_the_summary(suite: EvalSuite) -> None:
    """With the value that failed it, and what it makes of the run."""
    shown = suite.run("--tb=no", "-rN", "--llm-gate", "base: knowledge >= 0.9")
    assert block(shown, "^run: ", "^=") == (
        "run: 13 calls, 0 stored answers, 10 of the calls were probes; cost unknown\n"
        "gate FAILED: base: knowledge >= 0.9\n"
        "  base: knowledge >= 0.9: does not hold, 0 of 2 passed (95% 0-66%)\n"
        "the gate decides for the evals: the run fails"
    )


def test_an_interrupted_run_says_so_below_its_verdict(
    suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was reported until then is all that it covers."""
    suite.write_file("test_b.py", "def test_b():\n    raise KeyboardInterrupt\n")
    monkeypatch.setenv("COLUMNS", "80")
    shown = suite.pytester.runpytest_subprocess("--tb=no", "-rN", "--llm-probe=off")
    assert block(shown, "^verdict", "^$") == (
        "verdict: none about causes: no failing case was asked again.\n"
        "next: run with --llm-probe standard to learn why these cases fail.\n"
        "interrupted: this covers only the cases that were reported"
    )


def test_a_narrow_terminal(suite: EvalSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text is wrapped at its width, the gate's lines too."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("PY_COLORS", "0")
    shown = suite.pytester.runpytest_inprocess(
        "--tb=no", "-rN", "--llm-probe=off", "--llm-gate", "base: knowledge >= 0.9"
    )
    lines = shown.outlines
    begin = next(n for n, line in enumerate(lines) if "llm diagnosis" in line)
    end = next(n for n, line in enumerate(lines) if line.startswith("the gate decides"))
    assert max(map(len, lines[begin : end + 1])) <= 40


ODD = """\
cases:
  - id: "caf\\u00e9-\\u2603"
    mark: knowledge
    prompt: How many boots?
    facts: [contains: x]
"""


def test_a_terminal_of_another_encoding(
    suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it cannot show is escaped, and nothing dies of it."""
    suite.write_file("a.eval.yaml", ODD)
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    monkeypatch.setenv("COLUMNS", "80")
    shown = suite.pytester.runpytest_subprocess("--tb=no", "-v", "-rN")
    text = "\n".join(shown.outlines)
    assert "verdict withheld: 1 of the 1" in text
    assert "\\u2603[base]: unexplained" in text
    assert "INTERNALERROR" not in text + shown.stderr.str()


def test_counts_of_one_agree_with_their_words() -> None:
    """One call, one probe, one retry: no plural stands behind them."""
    one = RunFacts(
        seed=1,
        started="",
        calls=1,
        stored=1,
        probe_calls=1,
        check_calls=1,
        retrieval_calls=1,
        retries=1,
        waited=0.5,
    )
    assert run_text(one, 1) == (
        "1 call, 1 stored answer, 1 of the calls was a probe, 1 was made by checks, "
        "1 was made by retrieval, 1 retry, 0.5 s waited for it; cost unknown"
    )
