"""Broken files in a whole run: each told where and what, the rest still runs."""

from __future__ import annotations

import pytest

from conftest import GOOD, EvalSuite
from telling import assert_clean, findings, told

RAISES = "raise RuntimeError('at import')\n"


def case(keys: str) -> str:
    """Return an eval file whose one case, on its second line, has these keys."""
    return f"cases:\n  - {{{keys}}}\n"


def case_with(keys: str) -> str:
    """Return an eval file with a case that is whole but for these keys."""
    return case(f"id: a, mark: knowledge, prompt: q, {keys}")


def bomb() -> str:
    """Return YAML that would unfold to ten million items."""
    rows = [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in PAIRS]
    return "\n".join(["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]", *rows, ""])


PAIRS = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f"), ("f", "g")]
FACTS = "facts: [contains: x]"

BROKEN_SCHEMA = (
    "2: json_schema: broken JSON Schema: at $.type: unknown type 'objct'; did you "
    "mean 'object'? types: array, boolean, integer, null, number, object, string"
)

BAD_FILES = {
    "not_yaml": (
        "cases:\n  - prompt: Log this: torn\n",
        "2: not YAML: mapping values are not allowed in this context",
    ),
    "duplicate_key": (
        "cases:\n  - id: a\n    mark: knowledge\n    id: b\n",
        "4: duplicate key 'id'",
    ),
    "unknown_key": (case_with(f"{FACTS}, evidnce: x"), "2: unknown key 'evidnce'"),
    "wrong_type": (
        case_with(f"{FACTS}, trials: three"),
        "2: 'trials' must be a whole number, got 'three'",
    ),
    "no_prompt": (
        case(f"id: a, mark: knowledge, {FACTS}"),
        "2: case 'a' has no 'prompt'",
    ),
    "no_check": (
        case("id: a, mark: knowledge, prompt: q"),
        "2: case 'a' has no check",
    ),
    "duplicate_id": (
        f"cases:\n{GOOD.splitlines()[1]}\n{GOOD.splitlines()[1]}\n",
        "3: duplicate id 'fine'",
    ),
    "bad_mark": (
        case(f"id: a, mark: knowlege, prompt: q, {FACTS}"),
        "2: 'mark' must be 'knowledge' or 'behavior', got 'knowlege'",
    ),
    "unsafe_tag": (
        case(f"id: a, mark: knowledge, prompt: !!python/name:os.system , {FACTS}"),
        "2: the tag '!!python/name:os.system' is not allowed",
    ),
    "alias_bomb": (bomb(), "4: the alias '*c' makes the file explode"),
    "missing_evidence": (
        case_with(f"{FACTS}, evidence: docs/no.md"),
        "2: evidence file 'docs/no.md' does not exist",
    ),
    "outside_evidence": (
        case_with(f"{FACTS}, evidence: ../../outside.md"),
        "2: evidence file '../../outside.md' is outside the root folder",
    ),
    "missing_each": (
        case_with(f"{FACTS}, each: no.csv"),
        "2: each file 'no.csv' does not exist",
    ),
    "outside_each": (
        case_with(f"{FACTS}, each: ../../outside.csv"),
        "2: each file '../../outside.csv' is outside the root folder",
    ),
    "missing_schema": (
        case_with("form: [json_schema: no.json]"),
        "2: json_schema: no such file no.json",
    ),
    "outside_schema": (
        case_with("form: [json_schema: ../../outside.json]"),
        "2: json_schema: file ../../outside.json lies outside {root}",
    ),
    "unknown_column": (
        case(
            'id: "{n}", mark: knowledge, prompt: "{m}", facts: [contains: x], '
            "each: [{n: a}]"
        ),
        "2: unknown column 'm'",
    ),
    "broken_pattern": (
        case_with("facts: [matches: '(']"),
        "2: matches: broken regular expression '(': missing ) at position 1",
    ),
    "broken_schema": (
        case_with("form: [json_schema: {type: objct}]"),
        BROKEN_SCHEMA,
    ),
    "unknown_check": (
        case_with("facts: [contians: x]"),
        "2: unknown check 'contians'",
    ),
    "failing_ideal": (
        case_with("facts: [contains: x], ideal: y"),
        "2: the ideal of 'a' fails its own check contains: expected 'x', found 'y'",
    ),
    "empty": ("", "1: the file is empty"),
}  # fmt: skip


@pytest.mark.parametrize("arguments", [[], ["-n2"]], ids=["one", "n2"])
def test_every_broken_file_is_told_and_the_rest_runs(
    good_suite: EvalSuite, arguments: list[str]
) -> None:
    """Each kind of mistake is one line `file:line: finding`, without a traceback."""
    expected = {}
    for name, (text, finding) in BAD_FILES.items():
        path = f"{name}.eval.yaml"
        good_suite.write_file(path, text)
        line = f"{path}:{finding}"
        expected[path] = [line.replace("{root}", str(good_suite.path))]
    (good_suite.path / "latin.eval.yaml").write_bytes(b"cases:\n  - id: caf\xe9\n")
    expected["latin.eval.yaml"] = ["latin.eval.yaml:2: not UTF-8: byte 0xe9"]
    result = good_suite.run(*arguments)
    assert findings(result) == expected
    result.assert_outcomes(passed=2, errors=len(expected))
    assert_clean(result)
    for path, lines in expected.items():
        result.stdout.fnmatch_lines([f"ERROR {path} - {lines[0][:30]}*"])


@pytest.mark.parametrize("style", ["long", "short", "line", "native"])
def test_no_style_shows_a_traceback(good_suite: EvalSuite, style: str) -> None:
    """The located lines are all there is, in every style of traceback."""
    good_suite.write_file("bad.eval.yaml", case_with("facts: [contians: x]"))
    result = good_suite.run(f"--tb={style}")
    assert findings(result) == {
        "bad.eval.yaml": ["bad.eval.yaml:2: unknown check 'contians'"]
    }
    assert_clean(result)


def test_the_hint_lists_what_is_valid(good_suite: EvalSuite) -> None:
    """Below the finding, indented: the nearest name, then all of them."""
    good_suite.write_file("bad.eval.yaml", case_with("facts: [contians: x]"))
    hint = told(good_suite.run())["bad.eval.yaml"][1]
    assert hint.startswith("  did you mean 'contains'? checks: abstains, ")


def test_all_problems_of_a_file_at_once(good_suite: EvalSuite) -> None:
    """A file is mended in one go: nothing hides what stands below it."""
    good_suite.write_file(
        "bad.eval.yaml",
        """\
        cases:
          - {id: a, mark: knowledge, prompt: q, facts: [matches: "("]}
          - {id: b, mark: knowledge, prompt: q, form: [json_schema: {type: objct}]}
          - {id: c, mark: knowledge, prompt: q, form: [json_schema: bad.json]}
          - {id: d, mark: knowledge, prompt: q, facts: [contains: x], ideal: y}
          - {id: e, mark: knowlege, prompt: q, facts: [contains: x]}
        """,
    )
    good_suite.write_file("bad.json", '{"minimum": "x"}')
    found = findings(good_suite.run())["bad.eval.yaml"]
    assert [line.partition(": ")[0] for line in found] == [
        "bad.eval.yaml:2",
        "bad.eval.yaml:3",
        "bad.eval.yaml:4",
        "bad.eval.yaml:5",
        "bad.eval.yaml:6",
    ]
    assert "bad.json" in found[2]
    assert "'minimum'" in found[2] or "$.minimum" in found[2]


def test_checks_that_an_empty_answer_passes_are_a_warning(
    good_suite: EvalSuite,
) -> None:
    """The warning has the place of the case; the case runs all the same."""
    good_suite.write_file("odd.eval.yaml", case_with("facts: [excludes: x]"))
    result = good_suite.run("-Wdefault")
    result.assert_outcomes(passed=3, warnings=1)
    result.stdout.fnmatch_lines(
        ["*odd.eval.yaml:2: EvalWarning: an empty answer passes every check of 'a'*"]
    )
    strict = good_suite.run("-Werror")
    strict.assert_outcomes(passed=2, errors=1)
    assert_clean(strict)


# -- beside what is not ours ---------------------------------------------------


def test_a_python_error_still_interrupts(good_suite: EvalSuite) -> None:
    """A test file that cannot be imported ends the run, as without us."""
    good_suite.write_file("bad.eval.yaml", "")
    good_suite.write_file("test_broken.py", RAISES)
    result = good_suite.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*Interrupted: 2 errors during collection*"])


def test_maxfail_counts_a_broken_file(good_suite: EvalSuite) -> None:
    """`-x` stops at a broken eval file as at any error."""
    good_suite.write_file("bad.eval.yaml", "")
    result = good_suite.run("-x")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*stopping after 1 failures*"])


def test_an_eval_file_outside_the_root_folder(good_suite: EvalSuite) -> None:
    """It could name no file below the root, so it is refused with the way out."""
    root = good_suite.path / "elsewhere"
    root.mkdir()
    result = good_suite.run(f"--rootdir={root}", "good.eval.yaml")
    finding = f"the file is outside the root folder {root}"
    result.stdout.fnmatch_lines([f"{good_suite.path}/good.eval.yaml:1: {finding}"])
    result.stdout.no_fnmatch_line("*ValueError*")
