"""No path of a checkout leads out of it: links, `..` and absolute paths in a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conftest import GOOD, SCRIPTED, YES, EvalSuite
from model_server import ModelServer
from telling import assert_clean, findings

OUTSIDE = "outside, not ours"


@pytest.fixture
def outside(good_suite: EvalSuite) -> Path:
    """Return a folder beside the suite's, with files of every kind."""
    folder = good_suite.path.parent / f"{good_suite.path.name}-outside"
    folder.mkdir()
    (folder / "a.eval.yaml").write_text(GOOD)
    (folder / "llm_variants.yaml").write_text(SCRIPTED)
    (folder / "answers.yaml").write_text(YES)
    for name in ("a.md", "a.jsonl", "a.csv", "a.txt", "base.jsonl"):
        (folder / name).write_text(f"{OUTSIDE}\n{OUTSIDE}\n")
    (folder / "a.json").write_text("{}")
    return folder


def links(suite: EvalSuite, outside: Path) -> None:
    """Put a link to the outer folder and to each of its files into the suite."""
    (suite.path / "out").symlink_to(outside, target_is_directory=True)
    for file in outside.iterdir():
        (suite.path / f"link-{file.name}").symlink_to(file)
    (suite.path / "loop.json").symlink_to(suite.path / "loop.json")


def case_with(keys: str) -> str:
    """Return an eval file with a case that is whole but for these keys."""
    least = {"id": "a", "mark": "knowledge", "prompt": "q", "facts": "[contains: x]"}
    given = keys.partition(":")[0]
    whole = [f"{key}: {value}" for key, value in least.items() if key != given]
    return f"cases:\n  - {{{', '.join([*whole, keys])}}}\n"


CASE_KEYS = (
    "evidence: {}.md",
    "each: {}.csv",
    "each: {}.jsonl",
    "system: {}.md",
    "form: [json_schema: {}.json]",
    "form: [house_words: {{file: {}.txt}}]",
)
VARIANT_KEYS = (
    "system: {}.md",
    "examples: {}.md",
    "script: {}.md",
    "context: {}.md",
    "retrieve: {{documents: '{}.md'}}",
    "retrieve: {{documents: '{}*.md'}}",
)
WAYS = ("out/a", "link-a", "../{outer}/a", "{outside}/a")


@pytest.mark.parametrize("way", WAYS)
def test_no_file_outside_is_read(
    good_suite: EvalSuite, outside: Path, way: str
) -> None:
    """Whatever key of a case or a variant names it: each is refused at its line."""
    links(good_suite, outside)
    name = way.format(outer=outside.name, outside=outside)
    for number, keys in enumerate(CASE_KEYS):
        good_suite.write_file(f"c{number}.eval.yaml", case_with(keys.format(name)))
    for number, keys in enumerate(VARIANT_KEYS):
        asks = "" if "script" in keys else "script: ../answers.yaml, "
        named = keys.format(name if name.startswith("/") else f"../{name}")
        text = f"default: a\nvariants:\n  a: {{{asks}{named}}}\n"
        good_suite.write_file(f"v{number}/llm_variants.yaml", text)
        good_suite.write_file(f"v{number}/v{number}.eval.yaml", GOOD)
    result = good_suite.run()
    told = findings(result)
    refused = [told[f"c{number}.eval.yaml"] for number in range(len(CASE_KEYS))]
    refused += [
        told[f"v{number}/v{number}.eval.yaml"] for number in range(len(VARIANT_KEYS))
    ]
    for (line,) in refused:
        assert ":2: " in line or ":3: " in line
        assert "outside the root folder" in line or (
            "leads out of the root folder" in line or "lies outside" in line
        )
    assert OUTSIDE not in result.stdout.str() + result.stderr.str()
    # The links to the outer eval file are collected and refused as well.
    result.assert_outcomes(passed=2, errors=len(refused) + 2)
    assert_clean(result)


def test_a_schema_that_is_a_loop_of_links(good_suite: EvalSuite, outside: Path) -> None:
    """It is told like any other file that cannot be read."""
    links(good_suite, outside)
    good_suite.write_file("a.eval.yaml", case_with("form: [json_schema: loop.json]"))
    result = good_suite.run()
    (line,) = findings(result)["a.eval.yaml"]
    assert line.startswith("a.eval.yaml:2: json_schema: ")
    assert_clean(result)


@pytest.mark.parametrize("ref", ["{url}/x.json", "{file}", "a.json", "//h/x", "urn:a"])
def test_no_schema_fetches(good_suite: EvalSuite, outside: Path, ref: str) -> None:
    """A `$ref` leads to a part of its own schema, or is refused."""
    file = (outside / "a.json").as_uri()
    with ModelServer(lambda _: "{}") as server:
        named = ref.format(url=server.url, file=file)
        schema = f"form: [json_schema: {{$ref: '{named}'}}]"
        good_suite.write_file("a.eval.yaml", case_with(schema))
        result = good_suite.run()
    assert server.served == 0
    (line,) = findings(result)["a.eval.yaml"]
    assert "leads nowhere within the schema" in line
    assert_clean(result)


def test_eval_and_variants_files_are_no_links_out(
    good_suite: EvalSuite, outside: Path
) -> None:
    """A link to a stranger's file would send its cases to a model."""
    (good_suite.path / "b.eval.yaml").symlink_to(outside / "a.eval.yaml")
    good_suite.write_file("sub/c.eval.yaml", GOOD)
    (good_suite.path / "sub/llm_variants.yaml").symlink_to(
        outside / "llm_variants.yaml"
    )
    result = good_suite.run()
    finding = f"1: a link leads out of the root folder {good_suite.path}"
    assert findings(result) == {
        "b.eval.yaml": [f"b.eval.yaml:{finding}"],
        "sub/c.eval.yaml": [f"sub/llm_variants.yaml:{finding}"],
    }
    result.assert_outcomes(passed=2, errors=2)


def test_a_link_within_the_root_is_as_good_as_the_file(good_suite: EvalSuite) -> None:
    """Teams share files so."""
    (good_suite.path / "again.eval.yaml").symlink_to(good_suite.path / "good.eval.yaml")
    good_suite.run().assert_outcomes(passed=3)


@pytest.mark.parametrize("what", ["folder", "file"])
def test_recordings_are_no_links_out(
    good_suite: EvalSuite, outside: Path, what: str
) -> None:
    """Neither written nor read: the run says so."""
    folder = good_suite.path / "recordings"
    if what == "folder":
        folder.symlink_to(outside, target_is_directory=True)
    else:
        folder.mkdir()
        (folder / "base.jsonl").symlink_to(outside / "base.jsonl")
    (outside / "a.eval.yaml").unlink()
    before = {path: path.read_bytes() for path in outside.iterdir()}
    recorded = good_suite.run("--llm-record")
    told = " ".join(recorded.stdout.str().split())
    assert "recordings/base.jsonl:1: a link leads out of " in told
    replayed = good_suite.run("--llm-answers=replay")
    replayed.assert_outcomes(passed=1, errors=1)
    assert OUTSIDE not in replayed.stdout.str()
    assert {path: path.read_bytes() for path in outside.iterdir()} == before


@pytest.mark.parametrize("name", ["r.json", "r.md"])
def test_a_report_replaces_a_link_and_follows_none(
    good_suite: EvalSuite, outside: Path, name: str
) -> None:
    """Also where its draft would stand, whose name can be guessed."""
    target = outside / "a.txt"
    (good_suite.path / name).symlink_to(target)
    (good_suite.path / f".{name}.{os.getpid()}.tmp").symlink_to(target)
    good_suite.run(f"--llm-report={name}").assert_outcomes(passed=2)
    assert target.read_text() == f"{OUTSIDE}\n{OUTSIDE}\n"
    report = good_suite.path / name
    assert not report.is_symlink()
    assert "good.eval.yaml" in report.read_text() or "LLM diagnosis" in (
        report.read_text()
    )
    assert not list(good_suite.path.glob("*.tmp"))


@pytest.mark.parametrize("name", ["r.json", "r.md"])
def test_a_report_is_led_nowhere_by_a_folder(
    good_suite: EvalSuite, outside: Path, name: str
) -> None:
    """A folder that is a link out of the root is refused before anything is asked."""
    (good_suite.path / "reports").symlink_to(outside, target_is_directory=True)
    result = good_suite.run(f"--llm-report=reports/sub/{name}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*sub/{name}: leads out of the root folder *"])
    assert not (outside / "sub").exists()


@pytest.mark.parametrize("name", ["../{outer}/r.json", "{outside}/r.json"])
def test_only_the_command_line_places_a_report_elsewhere(
    good_suite: EvalSuite, outside: Path, name: str
) -> None:
    """Who starts the run may; a file of the checkout may not."""
    place = name.format(outer=outside.name, outside=outside)
    good_suite.run(f"--llm-report={place}").assert_outcomes(passed=2)
    assert (outside / "r.json").exists()
    (outside / "r.json").unlink()
    good_suite.pytester.makeini(f"[pytest]\nllm_report = {place}\n")
    result = good_suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*llm_report (ini) *: leads out of the root folder *"])
    assert not (outside / "r.json").exists()
