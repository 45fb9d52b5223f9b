"""The HTML report: one file, which runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import EvalSuite
from diagnosed import grade, result, suite
from eval_files import UNTIMED
from pytest_llm_diagnosis.cli import main
from pytest_llm_diagnosis.diagnosis import (
    Changed,
    MarkEffect,
    Shares,
    SideEffects,
    diagnose,
    posterior,
)
from pytest_llm_diagnosis.records import (
    Answer,
    Ask,
    CaseResult,
    Context,
    Finding,
    Grade,
    Ideal,
    JsonObject,
    Retrieved,
    Tokens,
    ToolCall,
    Trial,
    Verdict,
)
from pytest_llm_diagnosis.report.audit import DISGUISED, failed_text, spotted_lists
from pytest_llm_diagnosis.report.explaining import retrieved_text
from pytest_llm_diagnosis.report.html import html_text, plots, write_html
from pytest_llm_diagnosis.report.json_report import read_json, write_json
from pytest_llm_diagnosis.report.ladder import ladder_table, missing_texts
from pytest_llm_diagnosis.report.markdown import markdown_text
from pytest_llm_diagnosis.report.side_effects import mark_text, style_text
from test_markdown import ENDINGS, view

HOSTILE = (
    "</script><script>alert(1)</script> <!-- <script> ]]> "
    "<img src=x onerror=alert(2)> \" ' onmouseover=alert(3) javascript:alert(4) "
    "\u202edesrever\u2066 \ud800 \x00\x1b[31m ::error::x {{ 7*7 }} {% x %} [[data]]"
)


class Page(HTMLParser):
    """What stands in a page: tags with their attributes, and the text of elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"style": [], "script": [], "title": []}
        self._open: list[str] = []
        self.shown: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag in self.inside:
            self._open.append(tag)
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        """Leave an element whose text is kept."""
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Keep text."""
        if self._open:
            self.inside[self._open[-1]][-1] += data
        else:
            self.shown.append(data)

    @property
    def data(self) -> dict[str, object]:
        """What the page's script reads."""
        return cast("dict[str, object]", json.loads(self.inside["script"][0]))

    @property
    def cases(self) -> list[JsonObject]:
        """What it reads of the cases."""
        return cast("list[JsonObject]", self.data["cases"])

    @property
    def text(self) -> str:
        """What a reader sees without the script, blanks made one."""
        return " ".join(" ".join(self.shown).split())


def digest(text: str) -> str:
    """Return what a policy names a text by."""
    hashed = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(hashed).decode()}'"


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_is_one_file_that_asks_for_nothing(ending: str) -> None:
    """No address, no handler, no inline style; the policy names what stands in it."""
    page = Page(html_text(ENDINGS[ending]))
    attributes = {name for _, attrs in page.tags for name in attrs}
    assert not {name for name in attributes if name.startswith("on")}
    assert not attributes & {"style", "src", "srcset", "action", "data", "background"}
    assert {attrs["href"] for _, attrs in page.tags if "href" in attrs} == {"#cases"}
    (policy,) = (
        str(attrs["content"])
        for tag, attrs in page.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == digest(page.inside["style"][0])
    assert rules["script-src"] == digest(page.inside["script"][1])
    assert len(page.inside["script"]) == 2
    assert len(page.cases) == len(ENDINGS[ending].results)


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("knowledge", "base Knowledge P=0.92 Of 42 cases"),
        ("neither_yet", "Neither yet P="),
        ("unstable", "that over a third do not repeat 13 of 21 failures"),
        ("faulty_checks", "base Withheld"),
        ("too_little_data", "Too little data 3 attributable failures"),
        ("no_failures", "No failures 0 of 20 cases failed"),
        ("no_cases", "No verdict No case was answered and graded."),
        ("not_probed", "Next Run with --llm-probe standard to learn why"),
        ("two_variants", "What other variants change"),
        ("lost", "Label audit: marks that contradict their cause"),
        ("lost", "503 overloaded | try <later>"),
        ("confirmed", "confirmed: with the passage"),
    ],
)
def test_verdict_and_next_step_stand_in_words(ending: str, told: str) -> None:
    """A reader needs no script for them, nor for the evidence."""
    assert told in Page(html_text(ENDINGS[ending])).text


def hostile() -> CaseResult:
    """Return a case that is hostile wherever text may stand."""
    bad = Verdict(check=HOSTILE, passed=False, code=HOSTILE, reason=HOSTILE)
    answer = Answer(
        text=HOSTILE,
        tool_calls=(ToolCall(name=HOSTILE, arguments={HOSTILE: HOSTILE}),),
        contexts=(Context(text=HOSTILE, source=HOSTILE),),
        finish_reason=HOSTILE,
    )
    trial = Trial(answer=answer, grade=Grade(facts=(bad,), form=(bad,)))
    ask = Ask(facts=False, form=False, trial=trial)
    lost = Ask(error=True, trial=Trial(error=HOSTILE))
    finding = Finding(
        cause="check_suspect",
        arms={"R": (ask, ask), "F": (ask,), "S": (lost,)},
        untested=("E",),
        note=HOSTILE,
    )
    named = result(HOSTILE, "failed", variant=HOSTILE, cluster=HOSTILE, finding=finding)
    messages: tuple[JsonObject, ...] = ({"role": HOSTILE, "content": HOSTILE},)
    return replace(
        named,
        file=HOSTILE,
        trials=(trial,),
        message=HOSTILE,
        messages=messages,
        ideal=Ideal(text=HOSTILE),
    )


def test_hostile_text_is_mere_text(tmp_path: Path) -> None:
    """Whatever a model says, and wherever: no element, no end of one, no comment."""
    one = hostile()
    error = replace(one, outcome="error", nodeid="other", finding=None)
    shown = view([one, error])
    shown = replace(shown, run=replace(shown.run, notes=(HOSTILE,)))
    text = html_text(shown)
    page, plain = Page(text), Page(html_text(ENDINGS["lost"]))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags}
    assert len(page.inside["script"]) == 2
    assert page.inside["script"][1] == plain.inside["script"][1]
    (case, _) = page.cases
    assert case["id"] == case["variant"] == case["message"] == HOSTILE
    assert page.data["passages"] == [[HOSTILE, HOSTILE]]
    assert "\\u202edesrever" in page.text
    assert "{{ 7*7 }}" in page.text
    write_html(tmp_path / "new" / "x.html", shown)
    assert (tmp_path / "new" / "x.html").read_text(encoding="ascii") == text


@UNTIMED
@given(
    st.text(
        alphabet=st.characters(codec=None) | st.sampled_from("</!->&'\"{%}"), min_size=1
    )
)
def test_data_stays_within_its_element(text: str) -> None:
    """It is read back as it was; nothing in it is a sign to a parser of HTML."""
    page = Page(html_text(view([result(text)])))
    assert page.cases[0]["id"] == text
    assert not set(page.inside["script"][0]) & set("<>&")


# -- what the page is told of a case ---------------------------------------


def test_what_cases_share_is_told_once() -> None:
    """A prompt under two variants, a passage in many answers."""
    answer = Answer(text="t", contexts=(Context(text="long", source="a.md"),))
    messages: tuple[JsonObject, ...] = ({"role": "user", "content": "why?"},)
    results = [
        replace(
            result("a", variant=name),
            trials=(Trial(answer=answer, grade=grade()),) * 2,
            messages=messages,
            ideal=Ideal(text="so"),
        )
        for name in ("base", "rag")
    ]
    page = Page(html_text(view(results)))
    assert page.data["passages"] == [["a.md", "long"]]
    assert page.data["prompts"] == [{"messages": [["user", "why?"]], "ideal": "so"}]
    trials = cast("list[JsonObject]", page.cases[1]["trials"])
    assert [trial["contexts"] for trial in trials] == [[0], [0]]


def test_nothing_is_left_out_but_nothing() -> None:
    """A price of zero and an empty answer are something; unknown is nothing."""
    answer = Answer(text="", usd=0.0, seconds=0.0, tokens=Tokens())
    one = replace(result(), trials=(Trial(answer=answer, grade=grade()),))
    page = Page(html_text(view([one])))
    (trial,) = cast("list[JsonObject]", page.cases[0]["trials"])
    assert (trial["text"], trial["usd"], trial["seconds"]) == ("", 0.0, 0.0)
    assert trial["tokens"] == [0, 0, 0]
    assert "stored" not in trial
    assert "cause" not in page.cases[0]


def test_free_form_shows_no_verdict_on_form() -> None:
    """It was not graded there, though the checks ran."""
    seen = Trial(answer=Answer(text="t"), grade=grade("+", "-"))
    asks = {arm: (Ask(facts=True, trial=seen),) for arm in ("R", "F")}
    one = result("a", "failed", finding=Finding(cause="behavior", arms=asks))
    page = Page(html_text(view([one])))
    arms = cast("dict[str, list[JsonObject]]", page.cases[0]["arms"])
    assert "form" in arms["R"][0]
    assert "form" not in arms["F"][0]


# -- drawings --------------------------------------------------------------


@pytest.mark.parametrize("ending", ["knowledge", "behavior", "both", "neither_yet"])
def test_the_draws_are_those_of_the_verdict(ending: str) -> None:
    """The three areas are the probabilities that the verdict was named by."""
    shown = ENDINGS[ending]
    drawn = plots.lean(posterior(shown.results, shown.diagnosis.seed))
    verdict = shown.diagnosis.variants[0].verdict
    sides = dict(zip(("behavior", "both", "knowledge"), drawn.shares, strict=True))
    assert sum(drawn.shares) == pytest.approx(1)
    assert sides[str(verdict.leaning)] == verdict.leaning_probability


def test_nothing_is_drawn_of_nothing() -> None:
    """Without an attributable failure there is no lean; with one side no plane."""
    assert posterior(suite(5, unexplained=5), 7) == ((), ())
    assert "<figure" not in html_text(view(suite(5, unexplained=6)))
    one_sided = [
        replace(one, asks_form=False)
        for one in suite(20, knowledge=9)
        if one.finding is None or one.finding.cause == "knowledge"
    ]
    text = html_text(view(one_sided))
    assert '<figure class="lean">' in text
    assert '<figure class="plane">' not in text


def test_dots_lie_within_the_plane() -> None:
    """Knowledge up, behavior to the right; the scale fits nearly all of them."""
    draws = [Shares(0.0, 0.0), Shares(0.29, 0.1), Shares(0.1, 0.3)] * 100
    drawn = plots.plane([*draws, Shares(0.9, 0.0)])
    assert drawn.scale == 0.3
    assert [tick.label for tick in drawn.ticks] == ["0%", "10%", "20%", "30%"]
    dots = "".join(drawn.layers)
    assert "M0 300h0" in dots
    assert "M100 10h0" in dots
    assert "M300 200h0" in dots
    assert "M0 0h0" in dots


def test_rates_of_few_cases_are_counts_alone() -> None:
    """Below five cases there is no interval to draw."""
    text = html_text(view(suite(1, knowledge=2)))
    assert "2 of 3" in text
    assert "too few for an interval" in text
    assert 'class="span"' not in text


# -- what the other reports say too ---------------------------------------


def test_the_ladder_is_that_of_the_other_reports() -> None:
    """Cell by cell, with what is not measured said below it."""
    shown = ENDINGS["several_variants"]
    text = Page(html_text(shown)).text
    variant = shown.diagnosis.variants[0]
    table = ladder_table(variant)
    assert table
    for row in table:
        assert " ".join(row) in text
    for missing in missing_texts(variant):
        assert missing[1:] in text


def test_what_a_fine_tune_broke_stands_in_the_same_words() -> None:
    """With the cases of each kind, which open the tuned variant's answer."""
    one = result("a", "failed", variant="tuned")
    changed = (Changed(file=one.file, line=one.line, id=one.id),)
    mark = MarkEffect(mark="behavior", failing=0, passing=1, broken=changed)
    effects = SideEffects(
        variant="tuned",
        base="base",
        marks=(mark,),
        facts=4,
        styled=changed,
        knew=1,
    )
    shown = view([result("a", "failed"), one])
    told = replace(shown.diagnosis, side_effects=(effects,))
    page = Page(html_text(replace(shown, diagnosis=told)))
    for text in (style_text(effects), mark_text(mark)):
        assert text in page.text
    opened = [attrs["data-case"] for _, attrs in page.tags if "data-case" in attrs]
    at = [case["variant"] for case in page.cases].index("tuned")
    assert opened[:2] == [str(at)] * 2


def test_a_disguised_case_says_what_failed() -> None:
    """Its mark agrees with its cause, so the mark is no news."""
    text = Page(html_text(ENDINGS["label_audit"])).text
    assert DISGUISED[1:] in text
    (title, cases) = list(spotted_lists(ENDINGS["label_audit"].diagnosis.variants[0]))[
        -1
    ]
    assert title == DISGUISED
    assert f"{cases[0].file}:{cases[0].line} {failed_text(cases[0])}, cause" in text


def test_a_case_says_where_its_gold_passage_was() -> None:
    """In the words of its story in the terminal."""
    found = Retrieved(k=3, rank=2, found=1, gold=2)
    page = Page(html_text(view([replace(result(), retrieved=found)])))
    assert page.cases[0]["retrieved"] == retrieved_text(found)


# -- on the way to it ------------------------------------------------------


def test_a_saved_report_becomes_any_format(
    suite: EvalSuite, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is what the run itself would have written."""
    names = ["report.json", "report.md", "report.html"]
    suite.run("--llm-variant=all", *(f"--llm-report={name}" for name in names))
    saved = suite.path / "report.json"
    again = [suite.path / "again" / name for name in names]
    capsys.readouterr()
    assert main(["report", str(saved), *(f"--to={path}" for path in again)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [f"wrote {path}" for path in again]
    for path in again:
        assert path.read_bytes() == (suite.path / path.name).read_bytes()


def test_a_conversion_diagnoses_again(tmp_path: Path) -> None:
    """With another seed, the draws are others, in every format."""
    saved, again = tmp_path / "a.json", tmp_path / "b.json"
    shown = ENDINGS["both"]
    write_json(saved, shown)
    page = tmp_path / "b.md"
    assert (
        main(["report", str(saved), "--seed=8", f"--to={again}", f"--to={page}"]) == 0
    )
    assert read_json(again).diagnosis == diagnose(shown.results, seed=8, probing=True)
    assert page.read_text("utf-8") == markdown_text(read_json(again))


def test_a_merge_is_written_in_any_format(tmp_path: Path) -> None:
    """By the names of its files; a name that says nothing is a mistake."""
    saved = tmp_path / "a.json"
    write_json(saved, ENDINGS["both"])
    assert main(["merge", str(saved), "-o", str(tmp_path / "b")]) == 2
    for name, begins in [("b.html", "<!doctype html>"), ("b.json", '{"schema"')]:
        assert main(["merge", str(saved), "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_text("utf-8").startswith(begins)


def test_an_unknown_format_is_said_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the valid ones."""
    page = tmp_path / "x.html"
    assert main(["report", "x.json", f"--to={page}", "--to=x.pdf"]) == 2
    error = capsys.readouterr().err
    assert "--to x.pdf: unknown format '.pdf'; valid: .json, .md, .html" in error
    assert not page.exists()


def test_only_an_html_report_imports_its_template_engine() -> None:
    """Neither a session nor the command line pays for it."""
    code = (
        "import sys, pytest_llm_diagnosis.plugin.session, pytest_llm_diagnosis.cli,"
        " pytest_llm_diagnosis.plugin.reporting; print('jinja2' in sys.modules)"
    )
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
