"""The reference page: it is current, and its examples work as eval files."""

from __future__ import annotations

from pathlib import Path

import pytest

from checking import REGISTRY
from pytest_llm_diagnosis.cases import load_cases
from pytest_llm_diagnosis.checks import CheckType
from pytest_llm_diagnosis.checks.reference import example_lines, reference, yaml_text
from pytest_llm_diagnosis.cli import main
from pytest_llm_diagnosis.grading import grade
from pytest_llm_diagnosis.source import parse, plain

PAGE = Path(__file__).parents[1] / "docs" / "checks.md"


def by_name(check_type: CheckType) -> str:
    """Name a parametrized case after its check."""
    return check_type.name


def test_the_committed_page_is_current() -> None:
    """After a change of a check: `make docs`."""
    assert PAGE.read_text(encoding="utf-8") == reference(REGISTRY)


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    """`llm-diagnosis checks` needs no file."""
    assert main(["checks"]) == 0
    assert capsys.readouterr().out == reference(REGISTRY)


@pytest.mark.parametrize("check_type", REGISTRY.types(), ids=by_name)
def test_every_example_works_as_written(check_type: CheckType, tmp_path: Path) -> None:
    """What the page shows loads from an eval file and grades as the page says."""
    lines = list(example_lines(check_type))
    assert "\n".join(lines) in PAGE.read_text(encoding="utf-8")
    # A limit alone is no case.
    other = [] if lines[0] != "limits:" else ["facts: [contains: x]"]
    written = "".join(f"    {line}\n" for line in [*other, *lines])
    path = tmp_path / "page.eval.yaml"
    path.write_text(
        f"cases:\n  - id: a\n    mark: behavior\n    prompt: p\n{written}", "utf-8"
    )
    (case,) = load_cases(path, tmp_path, REGISTRY)
    spec = case.checks[-1]
    assert spec.name == check_type.name
    assert spec.dimension == check_type.dimensions[0]
    check, example = REGISTRY.bind(spec), check_type.example
    passing = grade(example.passing, [check], {0: example.passing_replies})
    assert passing.all_passed is True
    (verdict,) = grade(example.failing, [check], {0: example.failing_replies}).verdicts
    assert (verdict.passed, verdict.code) == (False, example.code)


@pytest.mark.parametrize("check_type", REGISTRY.types(), ids=by_name)
def test_every_check_of_form_says_how_to_answer(check_type: CheckType) -> None:
    """Under form a description is an instruction: a sentence for the prompt."""
    if "form" not in check_type.dimensions:
        return
    from checking import bound

    told = bound(check_type.name, check_type.example.params, "form").describe()
    assert told
    assert told == told.strip()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a word", "a word"),
        ("true", '"true"'),
        ("No", '"No"'),
        ("", '""'),
        ("*", '"*"'),
        ("a: b", '"a: b"'),
        ("17", '"17"'),
        (None, "null"),
        ([1, 0.5, False], "[1, 0.5, false]"),
        ({"a": {"on": ["b"]}}, '{a: {"on": [b]}}'),
    ],
)
def test_yaml_on_one_line(value: object, written: str) -> None:
    """What is written is read back as the same value."""
    assert yaml_text(value) == written  # type: ignore[arg-type]
    read = plain(parse(f"x: {written}", Path("x.yaml")))
    assert read == {"x": value}
