"""Hostile text against every output: nothing of it is more than text anywhere."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from conftest import EvalSuite
from pytest_llm_diagnosis.cli import main

HOSTILE: Mapping[str, str] = {
    "escapes": "a\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b1A\rback\x08\x7f",
    "bidi": "pay \u202e001\u202c to \u2066evil\u2069\u200b\u200f\ufeff",
    "commands": (
        "x\n::add-mask::yes\n  ::error file=a::b\n::set-output name=a::b\n"
        "##[error]x\n##vso[task.complete result=Succeeded;]\r::stop-commands::z"
    ),
    "percent": "a%0A::error::b%0d%0a##[group]c",
    "markdown": (
        "</details>\n# Verdict\n| a | b |\n|---|---|\n```\n[x](javascript:alert(1)) "
        "![i](http://h/i.png) @everyone #1 https://h.example www.h.example `c` "
        "<!-- $x$ **b** ~~s~~ - [ ] \\| | end"
    ),
    "html": "<script>alert(1)</script><img src=x onerror=a()>\"'><svg/onload=a>&lt;",
    "xml": "]]> <![CDATA[ &amp; <b> \x00\x0b\x0c\x1f\ufffe\uffff </testcase>",
    "formula": '=HYPERLINK("http://h","x")\n+1+1\n-2\n@SUM(A1)\n\t=1',
    "surrogates": "a\ud800b\udfffc \ude00\ud83d",
    "lines": "a\x85::error::b\u2028::error::c\u2029d\x0b::error::e\x1c::error::f",
    "braces": '{{x}} {x} {{% raw %}} ${HOME} %s {"a": [1',
}
"""Texts that some output would take for more than text."""

KINDS = {
    "said": "mark: knowledge, facts: [contains: no such words]",
    "formed": "mark: behavior, form: [json]",
    "called": "mark: behavior, facts: [tool_call: {name: f}]",
    "raised": "mark: knowledge, facts: [contains: x]",
}
APP = """\
import json
from pathlib import Path
from pytest_llm_diagnosis import Answer

TEXTS = json.loads(Path(__file__).with_name("hostile.json").read_text("ascii"))

def answer(request):
    kind, name = request.messages[-1]["content"].split()[-2:]
    text = TEXTS[name]
    if kind == "raised":
        raise RuntimeError(text)
    if kind == "called":
        return Answer(text=text, tool_calls=[{"name": text, "arguments": text}])
    return Answer(text=text, contexts=[{"text": text, "source": text}])
"""
TEST = """\
import pytest
from app import TEXTS

@pytest.mark.knowledge
@pytest.mark.parametrize("name", TEXTS)
def test_said(llm, name):
    answer = llm(f"said {name}")
    print(answer.text)
    assert answer.text == "no such words"

@pytest.mark.knowledge
@pytest.mark.parametrize("name", TEXTS)
def test_raised(llm, name):
    llm(f"raised {name}")
"""
VARIANTS = """\
default: app
variants: {app: {call: "app:answer"}}
"""


def write(suite: EvalSuite, texts: Mapping[str, str] = HOSTILE) -> None:
    """Write a suite whose application answers, raises and calls with these texts."""
    cases = [
        f"  - {{id: {kind}-{name}, prompt: {kind} {name}, {keys}}}\n"
        for kind, keys in KINDS.items()
        for name in texts
    ]
    suite.write_file("hostile.json", json.dumps(texts))
    suite.write_file("app.py", APP)
    suite.write_file("test_app.py", TEST)
    suite.write_file("a.eval.yaml", f"cases:\n{''.join(cases)}")
    suite.write_file("llm_variants.yaml", VARIANTS)


# -- what must hold of each output -------------------------------------------

_FORGED = re.compile(r"##\[|##vso\[")
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def assert_plain(shown: str, ours: tuple[str, ...] = ()) -> None:
    """Nothing steers a terminal or misleads a reader; no line is a command."""
    odd = [
        character
        for character in shown
        if character not in "\n\t" and unicodedata.category(character) in _HIDDEN
    ]
    assert odd == []
    for line in shown.split("\n"):
        assert not _FORGED.search(line), line
        forged = line.lstrip().startswith("::") and not line.startswith(ours or "\0")
        assert not forged, line


def assert_log(suite: EvalSuite, shown: str) -> None:
    """GitHub's log: the commands are ours, one for each failure, and escaped."""
    del suite
    assert_plain(shown, ours=("::error file=", "::notice::"))
    told = [line for line in shown.split("\n") if line.startswith("::error file=")]
    assert len(told) == 10
    for line in told:
        assert re.fullmatch(r"::error file=[\w.-]+,line=\d+,title=[^:,]+::.+", line)
        assert not re.search(
            r"%(?!25|0A|0D)", line.replace("%3A", "").replace("%2C", "")
        )


def assert_json(suite: EvalSuite, shown: str) -> None:
    """Check the report: strict JSON in ASCII, with the text whole inside."""
    del shown
    data = (suite.path / "r.json").read_bytes()
    report = json.loads(data.decode("ascii"), parse_constant=pytest.fail)
    told = {one["id"]: one["trials"][0] for one in report["cases"]}
    assert {name: told[f"said-{name}"]["text"] for name in HOSTILE} == HOSTILE


def assert_markdown_page(page: str) -> None:
    """No tag but the fold's own, no raw control, tables of their own columns only."""
    assert_plain(page)
    own = "<details>", "</details>", "<summary>", "</summary>"
    bare = page
    for tag in own:
        assert page.count(tag) <= 1, tag
        bare = bare.replace(tag, "")
    assert "<" not in bare
    assert not re.search(r"(?<!\\)\]\(", page)
    assert "```" not in page
    assert not re.search(r"@\w|(?<!&)#\d|://|\bwww\.", bare)
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert headings == ["## LLM diagnosis", "### Evidence"]
    columns = 0
    for line in page.splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        cells = line.count("|") - 1
        assert columns in (0, cells), line
        columns = cells


def assert_markdown(suite: EvalSuite, shown: str) -> None:
    """Check the report for a pull request."""
    del shown
    assert_markdown_page((suite.path / "r.md").read_text("utf-8"))


def assert_summary(suite: EvalSuite, shown: str) -> None:
    """GitHub's page of the step."""
    del shown
    assert_markdown_page((suite.path / "summary.md").read_text("utf-8"))


class _Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.policies: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what could run or lead away."""
        if tag == "script":
            self.scripts.append("")
        names = dict(attrs)
        if names.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(names["content"] or "")
        self.handlers += [name for name in names if name.startswith("on")]
        self.links += [names[key] or "" for key in ("href", "src") if key in names]

    def handle_data(self, data: str) -> None:
        """Keep what stands in the last script."""
        if self.scripts:
            self.scripts[-1] += data


def assert_html(suite: EvalSuite, shown: str) -> None:
    """Check the page: ASCII, two scripts of ours, no handler, links within it."""
    del shown
    page = (suite.path / "r.html").read_bytes().decode("ascii")
    elements = _Elements()
    elements.feed(page)
    assert len(elements.scripts) == 2
    assert elements.handlers == []
    assert all(link.startswith("#") for link in elements.links)
    assert any(policy.startswith("default-src 'none'") for policy in elements.policies)


def assert_junit(suite: EvalSuite, shown: str) -> None:
    """Check that the XML parses, and a testcase is one for each item."""
    del shown
    root = ET.parse(suite.path / "j.xml").getroot()  # noqa: S314 - ours
    assert len(list(root.iter("testcase"))) == 6 * len(HOSTILE)
    texts = [text for element in root.iter() for text in element.itertext()]
    values = [value for element in root.iter() for value in element.attrib.values()]
    assert_plain("\n".join([*texts, *values]))


def assert_recording(suite: EvalSuite, shown: str) -> None:
    """Each line is JSON with nothing hidden, and the answer survives."""
    del shown
    data = (suite.path / "recordings/app.jsonl").read_bytes().decode("utf-8")
    # Where "##[" stands is nothing to a file that no log shows.
    assert_plain(data.replace("##", "#"))
    lines = map(json.loads, data.removesuffix("\n").split("\n"))
    said = {line["answer"]["text"] for line in lines}
    assert said == set(HOSTILE.values())


FILES: Mapping[str, Callable[[EvalSuite, str], None]] = {
    "terminal": assert_log,
    ".json": assert_json,
    ".md": assert_markdown,
    ".html": assert_html,
    "summary": assert_summary,
    "junit": assert_junit,
    "recording": assert_recording,
}
"""What a run leaves behind; a further format is one line and its assertion."""


def written(suite: EvalSuite, monkeypatch: pytest.MonkeyPatch, *more: str) -> str:
    """Run with every output on, as GitHub would; return what was shown."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(suite.path / "summary.md"))
    reports = [f"--llm-report=r{name}" for name in FILES if name.startswith(".")]
    result = suite.run(
        "-vv", "-rA", "--llm-record", "--junitxml=j.xml", "-o", "junit_logging=all",
        *reports, *more,
    )  # fmt: skip
    outcomes = result.parseoutcomes()
    count = len(HOSTILE)
    assert (outcomes["failed"], outcomes["errors"]) == (4 * count, 2 * count)
    # Where lines of a terminal end is for the terminal to say, not for Python.
    return "\n".join([*result.outlines, *result.errlines])


@pytest.fixture(params=[(), ("-n2",)], ids=["one", "n2"])
def shown(
    request: pytest.FixtureRequest,
    empty_suite: EvalSuite,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Return what a run shows that writes every output."""
    write(empty_suite)
    return written(empty_suite, monkeypatch, *request.param)


def test_what_a_run_leaves_behind(empty_suite: EvalSuite, shown: str) -> None:
    """Log with commands, JSON, Markdown, step summary, JUnit and recording."""
    for check in FILES.values():
        check(empty_suite, shown)


@pytest.mark.parametrize(
    "arguments",
    [["-q"], [], ["-v"], ["--tb=short"], ["--tb=native", "-l"], ["--color=yes"]],
    ids=" ".join,
)
def test_what_a_terminal_shows(empty_suite: EvalSuite, arguments: list[str]) -> None:
    """At every verbosity and style of traceback, with colours and without."""
    write(empty_suite)
    probes = "quick" if "-v" in arguments else "off"
    result = empty_suite.run(f"--llm-probe={probes}", "-rA", *arguments)
    assert result.parseoutcomes()["failed"] == 4 * len(HOSTILE)
    shown = "\n".join([*result.outlines, *result.errlines])
    if "--color=yes" in arguments:
        shown = re.sub(r"\x1b\[(?:[0-3]|[39]\d)?(?:;\d+)*m", "", shown)
    assert_plain(shown)


def test_what_the_commands_show(
    empty_suite: EvalSuite, capsys: pytest.CaptureFixture[str]
) -> None:
    """report, explain, compare and merge of a run that met the texts."""
    write(empty_suite)
    empty_suite.run("--llm-probe=off", "--llm-report=r.json", "-q")
    capsys.readouterr()
    report = str(empty_suite.path / "r.json")
    output = str(empty_suite.path / "m.json")
    explained = [["explain", f"{kind}-{n}", report] for kind in KINDS for n in HOSTILE]
    for command in (
        ["report", report],
        *explained,
        ["compare", report, report],
        ["merge", report, "-o", output],
    ):
        assert main(command) == 0
        captured = capsys.readouterr()
        assert_plain(captured.out + captured.err)
    json.loads(Path(output).read_bytes().decode("ascii"), parse_constant=pytest.fail)


def test_a_saved_report_is_as_hostile_as_an_answer(
    empty_suite: EvalSuite, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever hands over a report.json may have put anything into any text of it."""
    write(empty_suite, {"fine": "fine"})
    report = empty_suite.report("-q")
    path = empty_suite.path / "r.json"
    capsys.readouterr()
    for text in HOSTILE.values():
        path.write_text(json.dumps(_poisoned(report, text)), encoding="ascii")
        for command in (
            ["report", str(path)],
            ["explain", f"said-fine{text}", str(path)],
            ["explain", "nobody", str(path)],
            ["compare", str(path), str(path)],
            ["merge", str(path)],
        ):
            main(command)
            captured = capsys.readouterr()
            assert_plain(captured.out + captured.err)


_WORDS = {"id", "nodeid", "file", "cluster", "text", "reason", "message", "check",
          "source", "error", "variant", "name", "started", "notes"}  # fmt: skip


def _poisoned(value: object, text: str, key: str = "") -> object:
    """Return a report with the text behind every text that is nobody's keyword."""
    if isinstance(value, dict):
        return {name: _poisoned(one, text, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_poisoned(one, text, key) for one in value]
    return value + text if isinstance(value, str) and key in _WORDS else value


MEGABYTES = 10


def test_ten_megabytes(empty_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is there to hold whole answers holds them; pages stay short."""
    line = "<b>|::error::\x1b[31m "
    write(empty_suite, {"long": line * (MEGABYTES * 1_000_000 // len(line))})
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(empty_suite.path / "summary.md"))
    result = empty_suite.run(
        "--llm-probe=off", "--junitxml=j.xml",
        "--llm-report=r.md", "-k", "not test_app",
    )  # fmt: skip
    assert result.parseoutcomes()["failed"] == 3
    length = sum(map(len, [*result.outlines, *result.errlines]))
    assert length < 20_000
    for name in ("r.md", "summary.md"):
        assert (empty_suite.path / name).stat().st_size < 5_000
    assert (empty_suite.path / "j.xml").stat().st_size < 20_000
    ET.parse(empty_suite.path / "j.xml")  # noqa: S314 - ours
