"""Broken variants in a whole run: told once, at their line; the rest still runs."""

from __future__ import annotations

import pytest

from conftest import GOOD, EvalSuite
from telling import assert_clean, findings, told

RAISES = "raise RuntimeError('at import')\n"
BAD_VARIANTS = {
    "unset": (
        'default: a\nvariants:\n  a: {model: m, api_base: "${NOT_SET_HERE}"}\n',
        "3: the variable 'NOT_SET_HERE' is not set",
    ),
    "unknown_extends": (
        "default: a\nvariants:\n  a: {extends: b}\n",
        "3: 'extends' names an unknown variant 'b'",
    ),
    "circle": (
        "default: a\nvariants:\n  a: {extends: b}\n  b: {extends: a}\n",
        "3: 'extends' goes in a circle: a -> b -> a",
    ),
    "no_callable": (
        "default: a\nvariants:\n  a: {call: answer}\n",
        "3: 'call' must be module:attribute, got 'answer'",
    ),
    "unknown_key": (
        "default: a\nvariants:\n  a: {modle: m}\n",
        "3: unknown key 'modle' in 'a'",
    ),
}


@pytest.mark.parametrize("arguments", [[], ["-n2"]], ids=["one", "n2"])
def test_every_broken_variants_file_is_told(
    good_suite: EvalSuite, arguments: list[str]
) -> None:
    """Each kind of mistake is one line at its place, with the file that needs it."""
    expected = {}
    for name, (text, finding) in BAD_VARIANTS.items():
        good_suite.write_file(f"{name}/llm_variants.yaml", text)
        good_suite.write_file(f"{name}/a.eval.yaml", GOOD)
        expected[f"{name}/a.eval.yaml"] = [f"{name}/llm_variants.yaml:{finding}"]
    result = good_suite.run(*arguments)
    assert findings(result) == expected
    result.assert_outcomes(passed=2, errors=len(expected))
    assert_clean(result)


# -- variants ----------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["-n2"]], ids=["one", "n2"])
def test_broken_variants_are_told_once_and_not_by_every_file(
    good_suite: EvalSuite, arguments: list[str]
) -> None:
    """All problems stand with the first file; the others name the first problem."""
    good_suite.write_file(
        "app/llm_variants.yaml",
        """\
        default: a
        variants:
          a: {call: 'x:y', foo: 1}
          b: {extends: c}
        """,
    )
    for name in ("one", "two"):
        good_suite.write_file(f"app/{name}.eval.yaml", GOOD)
    good_suite.write_file(
        "app/test_llm.py", "def test_a(llm): pass\ndef test_b(llm): pass\n"
    )
    result = good_suite.run(*arguments)
    first = "app/llm_variants.yaml:3: unknown key 'foo' in 'a'"
    second = "app/llm_variants.yaml:4: 'extends' names an unknown variant 'c'"
    assert findings(result) == {
        "app/one.eval.yaml": [first, second],
        "app/two.eval.yaml": [first],
        "app/test_llm.py": [first],
    }
    assert told(result)["app/two.eval.yaml"] == [first, TOLD_AGAIN]
    result.assert_outcomes(passed=2, errors=3)
    assert_clean_but_collection(result)


TOLD_AGAIN = (
    "  app/two.eval.yaml needs this file too; "
    "told in full (and 1 more) at app/one.eval.yaml"
)


def assert_clean_but_collection(result: pytest.RunResult) -> None:
    """Check that Python tests which lack their variants interrupt nothing either."""
    assert_clean(result)
    result.stdout.fnmatch_lines(["ERROR app/test_llm.py - app/llm_variants.yaml:3: *"])


def test_variants_that_are_missing(good_suite: EvalSuite) -> None:
    """A variant asked for where no file names any: every eval file is told."""
    (good_suite.path / "llm_variants.yaml").unlink()
    good_suite.write_file("test_llm.py", "def test_a(llm): pass\n")
    result = good_suite.run("--llm-variant=base")
    finding = "no llm_variants.yaml in this folder or above it"
    assert findings(result) == {
        "good.eval.yaml": [f"good.eval.yaml:1: {finding}"],
        "test_llm.py": [f"test_llm.py:1: {finding}"],
    }
    result.assert_outcomes(passed=1, errors=2)
    assert_clean(result)


def test_a_variants_file_that_is_not_there(good_suite: EvalSuite) -> None:
    """`--llm-variants-file` names nothing: one line, before anything runs."""
    result = good_suite.run("--llm-variants-file=no.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines[0] == "ERROR: --llm-variants-file no.yaml: no such file"


TWO = "default: base,app\nvariants:\n  base: {script: answers.yaml}\n"
UNSELECTED = """\
default: base
variants:
  base: {script: answers.yaml}
  live: {model: m, api_base: "${NOT_SET_HERE}"}
"""


def test_a_variable_of_a_variant_that_is_not_asked(good_suite: EvalSuite) -> None:
    """It need not be set; nor need any in a replay."""
    good_suite.write_file("llm_variants.yaml", UNSELECTED)
    good_suite.run().assert_outcomes(passed=2)
    replayed = good_suite.run("--llm-variant=live", "--llm-answers=replay")
    replayed.assert_outcomes(passed=1, errors=1)
    replayed.stdout.fnmatch_lines(["good.eval.yaml:2: no recorded answer for *"])


@pytest.mark.parametrize(
    ("call", "finding"),
    [
        ("no_module:answer", "cannot import 'no_module': ModuleNotFoundError: No "),
        ("raises:answer", "cannot import 'raises': RuntimeError: at import"),
        ("empty:answer", "module 'empty' has no attribute 'answer'"),
        ("empty:number", "call 'empty:number' is not callable: it is a int"),
    ],
)
def test_a_call_that_cannot_be_made(
    good_suite: EvalSuite, call: str, finding: str
) -> None:
    """The variant's line and why; its cases are errors, others run."""
    good_suite.write_file("raises.py", RAISES)
    good_suite.write_file("empty.py", "number = 3\n")
    good_suite.write_file("llm_variants.yaml", f"{TWO}  app: {{call: '{call}'}}\n")
    result = good_suite.run()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines([f"llm_variants.yaml:4: {finding}*"])
    assert_clean(result)
