"""`--llm-shard` and `llm-diagnosis merge`: the parts make the whole."""

from __future__ import annotations

import json
from typing import cast

import pytest

from comparing import cases_of, run_of, told
from conftest import EvalSuite
from pytest_llm_diagnosis.cli import main
from pytest_llm_diagnosis.records import JsonObject

FACTS = """\
defaults: {evidence: docs/facts.md}
cases:
  - id: c{n}
    each: facts.csv
    mark: knowledge
    cluster: "k{n}"
    prompt: What is item {n}?
    evidence: docs/facts.md#item-{n}
    facts: [{contains: "w{n}"}]
    ideal: It is w{n}.
"""
FORMS = """\
cases:
  - id: j{n}
    each: forms.csv
    mark: behavior
    cluster: "b{n}"
    prompt: Name the sum of {n} and one.
    instruction: Answer with JSON.
    form: [json]
    ideal: '{{"sum": "{n}+1"}}'
"""
TESTS = """\
import pytest


@pytest.mark.knowledge
@pytest.mark.parametrize("number", range(4))
def test_item(llm, number):
    assert f"w{number}" in llm(f"What is item {number}?").text


def test_other():
    assert True
"""
ITEMS = 14
# Items 0 and 1 are known; the rest is read from the passage, but for item 2.
RULES = "\n".join(
    [
        "rules:",
        "  - {contains: What is item 0, text: It is w0.}",
        "  - {contains: What is item 1?, text: It is w1.}",
        "  - {contains: is w2., text: I cannot say.}",
        *(
            f"  - {{contains: Item {n} is w{n}., text: It is w{n}.}}"
            for n in range(ITEMS)
        ),
        "  - {contains: Answer with JSON, text: '{\"sum\": 1}'}",
        "  - {system: JSON, contains: sum, text: '{\"sum\": 1}'}",
        "  - {contains: sum of 1, text: '{\"sum\": 2}'}",
        "  - {text: I cannot say.}",
    ]
)
VARIANTS = """\
default: base
variants:
  base: {script: answers.yaml}
  rag: {extends: base, retrieve: {documents: "docs/**/*.md", top_k: 1}}
  strict: {extends: base, system: Answer with JSON., params: {temperature: 0}}
"""


@pytest.fixture
def wide_suite(empty_suite: EvalSuite) -> EvalSuite:
    """Return two eval files with 20 cases, and four Python tests, most failing."""
    empty_suite.write_file("facts.eval.yaml", FACTS)
    empty_suite.write_file("forms.eval.yaml", FORMS)
    empty_suite.write_file("test_app.py", TESTS)
    empty_suite.write_file("llm_variants.yaml", VARIANTS)
    empty_suite.write_file("answers.yaml", RULES)
    for name, count in (("facts.csv", ITEMS), ("forms.csv", 6)):
        rows = "\n".join(["n", *map(str, range(count))])
        empty_suite.write_file(name, f"{rows}\n")
    sections = (f"# Item {n}\n\nItem {n} is w{n}.\n" for n in range(ITEMS))
    empty_suite.write_file("docs/facts.md", "\n".join(sections))
    return empty_suite


def sharded(suite: EvalSuite, of: int, *arguments: str) -> list[JsonObject]:
    """Run every shard and return the reports, which stay as `shard-1.json`, ..."""
    reports = []
    for number in range(1, of + 1):
        reports.append(suite.report(f"--llm-shard={number}/{of}", *arguments))
        (suite.path / "report.json").rename(suite.path / f"shard-{number}.json")
    return reports


def merged(suite: EvalSuite, *numbers: int, options: tuple[str, ...] = ()) -> int:
    """Merge the shards into `merged.json` and return the status."""
    paths = [str(suite.path / f"shard-{number}.json") for number in numbers]
    return main(["merge", *paths, "-o", str(suite.path / "merged.json"), *options])


def read(suite: EvalSuite, name: str) -> JsonObject:
    """Return a report of the suite's folder."""
    report: JsonObject = json.loads((suite.path / name).read_text(encoding="ascii"))
    return report


@pytest.mark.parametrize(
    ("of", "arguments"),
    [
        (2, []),
        (3, ["--llm-variant=all", "--llm-probe-variants=all"]),
        (3, ["--llm-probe-max=3"]),
        (3, ["--llm-probe-max=9", "-k", "not c3"]),
        (2, ["--llm-probe=quick", "--llm-seed=11", "-n2"]),
        (2, ["--llm-probe=off", "--llm-variant=base,strict", "--llm-trials=2"]),
    ],
)
def test_merged_shards_are_the_whole(
    wide_suite: EvalSuite, of: int, arguments: list[str]
) -> None:
    """The merged report is that of one run, but for what the runs cost."""
    fresh = ["--llm-answers=fresh", *arguments]
    whole = wide_suite.report(*fresh)
    parts = sharded(wide_suite, of, *fresh)
    assert merged(wide_suite, *range(1, of + 1)) == 0
    assert told(read(wide_suite, "merged.json")) == told(whole)
    counts = [len(cast("list[JsonObject]", part["cases"])) for part in parts]
    assert all(counts)


def test_an_early_stop_is_that_of_the_whole(wide_suite: EvalSuite) -> None:
    """Shards probe on, since none can tell; the merge stops where one run does."""
    arguments = ["--llm-answers=fresh", "-k", "facts"]
    whole = wide_suite.report(*arguments)
    parts = sharded(wide_suite, 2, *arguments)
    assert merged(wide_suite, 1, 2) == 0
    again = read(wide_suite, "merged.json")
    assert told(again) == told(whole)
    found = [sum(map(probed, cases_of(report))) for report in (again, *parts)]
    assert found[0] == 9  # 8 attributable, and one unexplained
    assert sum(found[1:]) == 12


def test_examples_are_those_of_the_whole_file(wide_suite: EvalSuite) -> None:
    """Cases of other shards stand in as examples, so no request is another one."""
    rules = [line for line in RULES.splitlines() if "JSON" not in line]
    wide_suite.write_file("answers.yaml", "\n".join(rules))
    whole = wide_suite.report("forms.eval.yaml")
    asked = [cast("JsonObject", case["arms"]) for case in cases_of(whole)]
    assert any("X" in arms for arms in asked)
    for part in sharded(wide_suite, 2, "forms.eval.yaml"):
        assert 0 < len(cases_of(part)) < len(asked)
        assert run_of(part)["calls"] == 0


def probed(case: JsonObject) -> bool:
    """Whether a case has a cause."""
    return case["cause"] is not None


def test_a_case_stays_in_its_shard(wide_suite: EvalSuite) -> None:
    """All variants of a case are together; a new case moves no other."""
    before = [where(report) for report in sharded(wide_suite, 3, *EVERYTHING)]
    assert sum(map(len, before)) == ITEMS + 6 + 4
    rows = "\n".join(["n", *map(str, range(ITEMS + 5))])
    wide_suite.write_file("facts.csv", f"{rows}\n")
    for number in range(ITEMS, ITEMS + 5):
        path = wide_suite.path / "docs/facts.md"
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text}\n# Item {number}\n\nNew.\n", encoding="utf-8")
    after = [where(report) for report in sharded(wide_suite, 3, *EVERYTHING)]
    assert all(
        cases.items() <= now.items() for cases, now in zip(before, after, strict=True)
    )
    assert sum(map(len, after)) == ITEMS + 5 + 6 + 4


EVERYTHING = ("--llm-variant=all", "--llm-probe=off")


def where(report: JsonObject) -> dict[tuple[object, object], set[object]]:
    """Return the variants of each case of a report, all of them together."""
    found: dict[tuple[object, object], set[object]] = {}
    for case in cases_of(report):
        found.setdefault((case["file"], case["id"]), set()).add(case["variant"])
    assert all(variants == {"base", "rag", "strict"} for variants in found.values())
    return found


def test_other_tests_run_in_every_shard(wide_suite: EvalSuite) -> None:
    """What uses no `llm` is not split; the rest is deselected, as pytest says."""
    result = wide_suite.run("--llm-shard=1/2", "--llm-probe=off", "-v")
    result.stdout.fnmatch_lines(["test_app.py::test_other PASSED*", "*deselected*"])
    result.stdout.no_fnmatch_line("*only a selection of the suite*")


def test_a_shard_without_a_case_is_no_failure(good_suite: EvalSuite) -> None:
    """Its report is empty, and the parts make the whole all the same."""
    (good_suite.path / "test_python.py").unlink()
    results = []
    for number in (1, 2, 3):
        report = good_suite.path / f"shard-{number}.json"
        result = good_suite.run(f"--llm-shard={number}/3", f"--llm-report={report}")
        assert result.ret == 0
        results.append(len(cases_of(read(good_suite, report.name))))
    assert sorted(results) == [0, 0, 1]
    assert merged(good_suite, 1, 2, 3) == 0
    empty = good_suite.run(f"--llm-shard={results.index(0) + 1}/3", "-n1")
    assert empty.ret == 0


@pytest.mark.parametrize(
    ("value", "finding"),
    [
        ("3", "'3' is not I/N; give I/N, such as 1/3, 2/3 and 3/3"),
        ("0/3", "'0/3' is not between 1/3 and 3/3"),
        ("4/3", "'4/3' is not between 1/3 and 3/3"),
        ("1/0", "'1/0' is not between"),
        ("1,2/3", "'1,2/3' is several shards"),
        ("a/b", "'a/b' is not I/N"),
        ("-1/3", "'-1/3' is not I/N"),
    ],
)
def test_a_bad_shard_is_one_clean_line(
    good_suite: EvalSuite, value: str, finding: str
) -> None:
    """What is wrong, and what would be right, before anything runs."""
    result = good_suite.run(f"--llm-shard={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--llm-shard: {finding}" in result.stderr.str()


def test_a_fix_is_not_confirmed_by_a_shard(good_suite: EvalSuite) -> None:
    """The verdict on the whole suite is not there."""
    result = good_suite.run("--llm-shard=1/2", "--llm-confirm")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "run it without --llm-shard" in result.stderr.str()


def test_the_ini_twin_takes_a_shard(wide_suite: EvalSuite) -> None:
    """`llm_shard` is read like the option."""
    wide_suite.write_file("pytest.ini", "[pytest]\nllm_shard = 2/3\n")
    run = cast("JsonObject", wide_suite.report("--llm-probe=off")["run"])
    assert run["shard"] == "2/3"


@pytest.fixture
def shards(wide_suite: EvalSuite) -> EvalSuite:
    """Return a suite with the reports of its three shards."""
    sharded(wide_suite, 3, "--llm-probe=off")
    return wide_suite


def test_a_missing_shard_is_named(
    shards: EvalSuite, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is merged, unless it is asked for; then the report says so."""
    capsys.readouterr()
    assert merged(shards, 1, 3) == 2
    assert "shard 2 is missing: give its report too" in capsys.readouterr().err
    assert not (shards.path / "merged.json").exists()
    assert merged(shards, 1, options=("--partial",)) == 0
    shown = capsys.readouterr().out
    assert "note: shards 2, 3 are missing: this covers only the others" in shown
    assert "only a selection of the suite ran" in shown
    (shards.path / "merged.json").rename(shards.path / "shard-9.json")
    assert merged(shards, 9, 2, 3) == 0
    assert cast("JsonObject", read(shards, "merged.json")["run"])["shard"] is None


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"seed": 8}, "another --llm-seed than "),
        ({"probe": "quick"}, "another --llm-probe than "),
        ({"probe_max": 2}, "another --llm-probe-max than "),
        ({"shard": "2/4"}, "another number of shards than "),
        ({"suite": "0"}, "another selection of cases than "),
        ({"selection": "rag"}, "another selection of variants than "),
        ({"shard": None}, "a run without --llm-shard, but "),
        ({"shard": "1/3"}, "shard 1/3 again, as in "),
    ],
)
def test_what_does_not_belong_together_is_said(
    shards: EvalSuite,
    capsys: pytest.CaptureFixture[str],
    changed: JsonObject,
    finding: str,
) -> None:
    """The file and the finding, status 2."""
    report = read(shards, "shard-2.json")
    run = {**cast("JsonObject", report["run"]), **changed}
    path = shards.path / "shard-2.json"
    path.write_text(json.dumps({**report, "run": run}), encoding="ascii")
    assert merged(shards, 1, 2, 3) == 2
    error = capsys.readouterr().err
    assert finding in error
    assert "shard-2.json:1: " in error


def test_runs_of_different_cases_are_joined(
    wide_suite: EvalSuite, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reports without a shard have no case in common; then all of it counts."""
    for number, file in enumerate(("facts", "forms"), start=1):
        report = wide_suite.path / f"shard-{number}.json"
        wide_suite.run(f"--llm-report={report}", f"{file}.eval.yaml")
    assert merged(wide_suite, 1, 2) == 0
    again = cases_of(read(wide_suite, "merged.json"))
    assert len(again) == ITEMS + 6
    capsys.readouterr()
    assert merged(wide_suite, 1, 1) == 2
    assert f"{ITEMS} cases of " in capsys.readouterr().err
