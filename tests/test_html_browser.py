"""The HTML report in headless Chromium: what a reviewer does with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from browser import Browser, browser, needs_browser
from diagnosed import grade, result, suite
from pytest_llm_diagnosis.records import (
    Answer,
    Ask,
    CaseResult,
    Context,
    Finding,
    Ideal,
    JsonObject,
    Trial,
)
from pytest_llm_diagnosis.report.html import write_html
from test_html import HOSTILE, hostile
from test_markdown import ENDINGS, two_variants, view

pytestmark = needs_browser

ENTER, ESCAPE, TAB = "\ue007", "\ue00c", "\ue004"
DOWN, END, HOME, PAGE_DOWN = "\ue015", "\ue010", "\ue011", "\ue00f"


ACTIVE = """\
const grid = document.getElementById("grid");
const row = document.getElementById(grid.getAttribute("aria-activedescendant"));
const [frame, place] = [grid.getBoundingClientRect(), row.getBoundingClientRect()];
const name = row.querySelector(".id").textContent;
return [name, frame.top < place.top, place.bottom <= frame.bottom];
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser that the tests of this file share."""
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def story() -> CaseResult:
    """Return a case with an answer in every place of its story."""
    first = Trial(
        answer=Answer(
            text="30 days",
            contexts=(Context(text="Goods may be returned.", source="docs/a.md#b"),),
        ),
        grade=grade("-", "+"),
    )
    right = Trial(answer=Answer(text="45 days"), grade=grade("+", "+"))
    arms = {
        "R": (Ask(facts=False, form=True, trial=first),) * 2,
        "E": (Ask(facts=True, form=True, trial=right),),
        "X": (Ask(error=True, trial=Trial(error="503 overloaded")),),
        "S": (Ask(facts=False, form=True),),
    }
    finding = Finding(cause="knowledge", arms=arms, untested=("EX",))
    messages: tuple[JsonObject, ...] = ({"role": "user", "content": "How long?"},)
    return replace(
        result("window", "failed", finding=finding),
        trials=(first,),
        messages=messages,
        ideal=Ideal(text="45 days."),
    )


def opened(chromium: Browser, folder: Path, results: list[CaseResult]) -> None:
    """Write a report of these results, and open it."""
    path = folder / "report.html"
    write_html(path, view(results))
    chromium.open(path)


def shown_ids(chromium: Browser) -> list[str]:
    """Return the ids of the rows in the document."""
    return chromium.texts(".body .id")


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_loads_in_silence(chromium: Browser, tmp_path: Path, ending: str) -> None:
    """No word in the console, and no request but the one for the file."""
    path = tmp_path / "report.html"
    write_html(path, ENDINGS[ending])
    chromium.open(path)
    assert chromium.complaints() == []
    assert chromium.requests() == [path.as_uri()]
    cases = len(ENDINGS[ending].results)
    (status,) = chromium.texts("#status")
    assert status == ("All 1 case" if cases == 1 else f"All {cases} cases")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_its_page(
    chromium: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    """Light and dark as the system is; nothing sticks out at the width of a phone."""
    media = {"name": "prefers-color-scheme", "value": scheme}
    chromium.told("Emulation.setEmulatedMedia", features=[media])
    chromium.told(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=False,
    )
    try:
        opened(chromium, tmp_path, two_variants())
        color = str(
            chromium.run("return getComputedStyle(document.body).backgroundColor")
        )
        red = int(color.removeprefix("rgb(").split(",")[0])
        assert red > 200 if scheme == "light" else red < 60
        page = "const page = document.documentElement;"
        assert chromium.run(f"{page} return page.scrollWidth - page.clientWidth") == 0
        assert len(chromium.find(".plane .dots path")) == 10
    finally:
        chromium.told("Emulation.setEmulatedMedia", features=[])
        chromium.told("Emulation.clearDeviceMetricsOverride")


def test_filters_narrow_the_list(chromium: Browser, tmp_path: Path) -> None:
    """By mark, variant, cause, outcome and text, each with its counts."""
    other = result("other", "failed", mark="behavior")
    opened(chromium, tmp_path, [story(), *two_variants(), other])
    select = "const s = document.getElementById(arguments[0]); s.value = arguments[1];"
    change = "s.dispatchEvent(new Event('input', {bubbles: true}));"
    for name, value, status in [
        ("by-outcome", "failed", "15 of 66 cases"),
        ("by-cause", "knowledge", "13 of 66 cases"),
        ("by-variant", "rag", "0 of 66 cases"),
        ("by-cause", "", "1 of 66 cases"),
        ("by-mark", "behavior", "0 of 66 cases"),
    ]:
        chromium.run(select + change, name, value)
        assert chromium.texts("#status") == [status]
    (clear,) = chromium.find(".filters button")
    clear.click()
    chromium.run("return new Promise(done => setTimeout(done))")
    assert chromium.texts("#status") == ["All 66 cases"]
    for text, found in [("Goods", 0), ("RETURNED", 0), ("30 days", 1), ("pass-1", 22)]:
        (box,) = chromium.find("#find")
        box.clear()
        box.send_keys(text)
        assert chromium.texts("#status") == [f"{found} of 66 cases"]


def test_columns_sort_both_ways(chromium: Browser, tmp_path: Path) -> None:
    """Numbers within names count as numbers; failing cases come first at the start."""
    names = ["case-10", "case-9", "case-2"]
    opened(chromium, tmp_path, [*map(result, names), result("z", "failed")])
    assert shown_ids(chromium) == ["z", *names]
    (by_case,) = chromium.find(".of-case button")
    by_case.click()
    assert shown_ids(chromium) == ["case-2", "case-9", "case-10", "z"]
    assert chromium.find(".of-case[aria-sort=ascending]")
    by_case.click()
    assert shown_ids(chromium) == ["z", "case-10", "case-9", "case-2"]
    assert chromium.find(".of-case[aria-sort=descending]")


def test_a_case_opens_by_keyboard(chromium: Browser, tmp_path: Path) -> None:
    """All answers side by side, then on to the next one, and back to the list."""
    opened(chromium, tmp_path, [story(), result("after", "failed")])
    chromium.run("document.getElementById('grid').focus()")
    chromium.press(ENTER)
    assert chromium.texts("#story h2") == ["window"]
    assert chromium.texts(".turn pre") == ["How long?", "45 days."]
    assert chromium.texts(".column h4") == [
        "first answer",
        "Rasked again unchanged",
        "Swith the instruction",
        "Xwith examples",
        "Ewith the passage",
        "EXwith passage and examples",
    ]
    answers = chromium.texts(".column > .answer > .said")
    assert answers == ["30 days", "30 days", "30 days", "45 days"]
    assert chromium.texts(".lost") == ["503 overloaded"]
    assert "facts wrong" in chromium.texts(".bit")
    assert chromium.texts(".answer summary")[0] == "1 passage shown"
    assert chromium.texts(".answer details .said")[0] == "Goods may be returned."
    chromium.press("j")
    assert chromium.texts("#story h2") == ["after"]
    chromium.press("k")
    assert chromium.texts("#story h2") == ["window"]
    chromium.press(ESCAPE)
    assert not chromium.find("dialog[open]")
    assert chromium.run("return document.activeElement.id") == "grid"


def test_keys_walk_through_the_list(chromium: Browser, tmp_path: Path) -> None:
    """The row that they are on is always in sight, and told to a screen reader."""
    opened(chromium, tmp_path, [result(f"case-{n}") for n in range(2000)])
    chromium.run("document.getElementById('grid').focus()")
    for keys, at in [
        ([DOWN], 1),
        ([END], 1999),
        ([DOWN], 1999),
        ([HOME], 0),
        ([DOWN] * 3, 3),
    ]:
        chromium.press(*keys)
        active = chromium.run(ACTIVE)
        assert active == [f"case-{at}", True, True]
    chromium.press(PAGE_DOWN, ENTER)
    assert chromium.find("dialog[open]")
    assert len(chromium.find(".body .row")) < 60


def test_a_link_opens_its_case(chromium: Browser, tmp_path: Path) -> None:
    """A cause narrows the list, a suspected check opens, so does a fragment."""
    write_html(tmp_path / "report.html", ENDINGS["faulty_checks"])
    chromium.open(tmp_path / "report.html", "#case-3")
    assert chromium.texts("#story h2") == ["pass-2"]
    chromium.press(ESCAPE)
    (first, *_) = chromium.find("[data-case]")
    chromium.run("arguments[0].click()", first)
    assert chromium.texts("#story h2") == [first.text]
    chromium.press(ESCAPE)
    (cause, *_) = chromium.find("[data-cause=knowledge]")
    chromium.run("arguments[0].click()", cause)
    assert chromium.texts("#status") == ["16 of 51 cases"]


def test_hostile_text_runs_nothing_and_is_shown(
    chromium: Browser, tmp_path: Path
) -> None:
    """As text, with what is invisible in it made visible."""
    big = "<b>" * 350_000
    long = replace(
        result("long", "failed", line=9),
        trials=(Trial(answer=Answer(text=big), grade=grade("-")),),
    )
    opened(chromium, tmp_path, [hostile(), long])
    chromium.run("document.getElementById('grid').focus()")
    chromium.press(ENTER)
    (said, *_) = chromium.texts("#story .column .said")
    assert said == (
        HOSTILE.replace("\u202e", "\\u202e")
        .replace("\u2066", "\\u2066")
        .replace("\ud800", "\\ud800")
        .replace("\x00", "\\x00")
        .replace("\x1b", "\\x1b")
    )
    assert not chromium.find("#story img, #story script, #story b")
    chromium.press("j")
    (said,) = chromium.texts("#story .column .said")
    assert len(said) == 20_000
    (more,) = chromium.find(".more")
    assert more.text == "Show all 1,050,000 characters"
    more.click()
    (said,) = chromium.texts("#story .column .said")
    assert len(said) == 1_050_000
    assert chromium.complaints() == []
    assert len(chromium.requests()) == 1


def test_foreign_script_and_style_would_be_refused(
    chromium: Browser, tmp_path: Path
) -> None:
    """Were an escape ever forgotten, the page's policy stands behind it."""
    path = tmp_path / "report.html"
    write_html(path, view(suite(1)))
    text = path.read_text(encoding="ascii")
    injected = (
        "<script>window.ran = 1</script><img src=http://127.0.0.1:9/x onerror='ran=2'>"
        "<p id=styled style='color: rgb(1, 2, 3)' onclick='window.ran = 3'>x</p>"
    )
    path.write_text(text.replace("<main>", f"<main>{injected}"), encoding="ascii")
    chromium.open(path)
    chromium.run("document.getElementById('styled').click()")
    assert chromium.run("return window.ran") is None
    style = "return getComputedStyle(document.getElementById('styled')).color"
    assert chromium.run(style) != "rgb(1, 2, 3)"
    assert chromium.requests() == [path.as_uri()]
    assert "Content Security Policy" in " ".join(chromium.complaints())


def test_paper_shows_the_list(chromium: Browser, tmp_path: Path) -> None:
    """As far as paper should, and says how much is left."""
    opened(chromium, tmp_path, [result(f"case-{n}") for n in range(400)])
    chromium.run("window.dispatchEvent(new Event('beforeprint'))")
    assert len(chromium.find(".body .row")) == 300
    assert chromium.texts(".body > p") == ["and 100 more"]
    chromium.run("window.dispatchEvent(new Event('afterprint'))")
    assert len(chromium.find(".body .row")) < 60
    assert chromium.told("Page.printToPDF")["data"]
