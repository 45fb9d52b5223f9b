"""`loose: true` beside a check of form: in the file, and in its verdicts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from checking import REGISTRY, spec_of
from pytest_llm_diagnosis.cases import load_cases
from pytest_llm_diagnosis.checks.loose import readings
from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import Answer, Case, Json


def loaded(tmp_path: Path, check: str, dimension: str = "form") -> Case:
    """Return a case with one check, as it is written on line 6."""
    text = (
        f"cases:\n- id: a\n  mark: behavior\n  prompt: p\n  {dimension}:\n  - {check}"
    )
    path = tmp_path / "x.eval.yaml"
    path.write_text(text, encoding="utf-8")
    (case,) = load_cases(path, tmp_path, REGISTRY)
    return case


def test_eight_readings() -> None:
    """First line, last line, both, and each without stars."""
    assert list(readings("a\n*b*\nc")) == [
        "*b*\nc", "a\n*b*", "*b*", "a\nb\nc", "b\nc", "a\nb", "b",
    ]  # fmt: skip
    assert list(readings("one")) == []
    assert list(readings("*one*")) == ["one"]


@pytest.mark.parametrize(
    ("name", "params", "text", "strict", "loose"),
    [
        ("json", None, "Sure:\n{}", "json:invalid", None),
        ("json", None, "```json\n{}\n```", "json:fenced", None),
        ("equals", "Paris", "**Paris**", "equals:surrounded", None),
        ("max_words", 1, "Of course.\nParis\nAnything else?", "max_words:over", None),
        ("max_words", 1, "It is Paris.", "max_words:over", "max_words:over"),
        ("bullets", 1, "No list", "bullets:under", "bullets:under"),
        ("max_words", 3, "Paris", None, None),
    ],
)
def test_loose_verdicts(
    name: str, params: Json, text: str, strict: str | None, loose: str | None
) -> None:
    """What fails both ways has the strict verdict."""
    spec = spec_of(name, params, "form")
    answer = Answer(text=text)
    assert REGISTRY.bind(spec).grade(answer).code == strict
    check = REGISTRY.bind(replace(spec, loose=True))
    assert check.grade(answer).code == loose
    assert check.describe() == REGISTRY.bind(spec).describe()
    assert check.gold() == REGISTRY.bind(spec).gold()
    assert check.spec.loose


@pytest.mark.parametrize(
    ("check", "loose"),
    [
        ("{max_words: 3, loose: true}", True),
        ("{loose: true, max_words: 3}", True),
        ("{max_words: 3, loose: false}", False),
        ("{json: null, loose: true}", True),
        ("max_words: 3", False),
    ],
)
def test_loose_as_written(tmp_path: Path, check: str, *, loose: bool) -> None:
    """The key stands beside the check, in any order."""
    (spec,) = loaded(tmp_path, check).form
    assert spec.loose is loose
    assert spec.name in ("max_words", "json")


@pytest.mark.parametrize(
    ("check", "dimension", "finding"),
    [
        ("{loose: true}", "form", "'loose' needs a check beside it"),
        ("{max_words: 3, loose: 1}", "form", "'loose' in 'form' must be true or false"),
        ("{max_words: 3, json: null}", "form", "several checks: max_words, json"),
        (
            "{max_words: 3, json: null, loose: true}",
            "form",
            "several checks: max_words, json",
        ),
        ("{max_wrods: 3, loose: true}", "form", "unknown check 'max_wrods'"),
        ("{max_words: x, loose: true}", "form", "'max_words'"),
    ],
)
def test_loose_written_wrong(
    tmp_path: Path, check: str, dimension: str, finding: str
) -> None:
    """Each mistake is told on its line."""
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, check, dimension)
    assert finding in str(caught.value)
    assert all(problem.location.line == 6 for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("check", "dimension", "told"),
    [
        ("{headings: 2}", "facts", ["'headings' stands under form, not under facts"]),
        ("{tokens: 9}", "form", ["'tokens' stands under limits, not under form"]),
        ("headings", "facts", ["'headings' stands under form, not under facts"]),
        ("{seconds: 4}", "facts", ["'seconds' stands under limits, not under facts"]),
        (
            "{number: 45, unit: days}",
            "facts",
            [
                "'unit' is an option of 'number': it stands inside",
                "write number: {value: 45, unit: days}",
            ],
        ),
        (
            "{number: {value: 45}, unit: days}",
            "form",
            ["'unit' is an option", "write number: {value: 45, unit: days}"],
        ),
        (
            "{max_words: 4, lose: true}",
            "form",
            ["unknown key 'lose' beside 'max_words'", "did you mean 'loose'?"],
        ),
        (
            "{contains: x, loose: true}",
            "facts",
            ["'loose' stands under form, not under facts"],
        ),
        ("{contains: x, headings: 2}", "facts", ["'headings' stands under form"]),
        ("{contains: x, hedings: 2}", "facts", ["unknown check 'hedings'"]),
        ("{hedings: x, loose: true}", "form", ["unknown check 'hedings'"]),
    ],
)
def test_what_stands_in_the_wrong_place(
    tmp_path: Path, check: str, dimension: str, told: list[str]
) -> None:
    """One problem tells where it belongs; it is neither unknown nor a second check."""
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, check, dimension)
    (problem,) = caught.value.problems
    for part in told:
        assert part in problem.show()
