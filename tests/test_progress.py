"""Progress: its words, when it is shown, and that short runs show none."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from conftest import EvalSuite
from pytest_llm_diagnosis.engine import Counts
from pytest_llm_diagnosis.plugin import live
from pytest_llm_diagnosis.plugin.live import (
    LiveLine,
    Silence,
    SpacedLines,
    Telling,
    Waiting,
    display_of,
)
from pytest_llm_diagnosis.plugin.watching import Watching
from pytest_llm_diagnosis.report.progress import Progress, progress_text
from pytest_llm_diagnosis.report.terminal import Plan

if TYPE_CHECKING:
    from pytest_llm_diagnosis.plugin.live import Display

PLAN = Plan(calls=120, stored=20, probes=0)


@pytest.mark.parametrize(
    ("counts", "seconds", "told"),
    [
        (
            Counts(in_flight=8, stored=20),
            1.0,
            "llm: 20/120 answered, 8 in flight, cost unknown",
        ),
        (
            Counts(
                answered=40, stored=20, in_flight=8, retries=3, failed=1, usd=0.0123
            ),
            20.0,
            (
                "llm: 61/120 answered, 1 failed, 8 in flight, 3 retries, 2.0/s, "
                "0.0123 USD, 30 s left"
            ),
        ),
        (
            Counts(answered=100, stored=20, probe_calls=10, in_flight=10),
            100.0,
            ("llm: 120/130 answered, 10 in flight, 1.0/s, cost unknown, 10 s left"),
        ),
        (
            Counts(answered=1),
            10.0,
            "llm: 1/120 answered, 0 in flight, 0.1/s, cost unknown, 16 min left",
        ),
        (
            Counts(answered=1),
            100.0,
            "llm: 1/120 answered, 0 in flight, 0.0/s, cost unknown, 2.8 h left",
        ),
        (
            Counts(answered=100, stored=20),
            10.0,
            "llm: 120/120 answered, 0 in flight, 10.0/s, cost unknown",
        ),
    ],
)
def test_the_words(counts: Counts, seconds: float, told: str) -> None:
    """Answered of all, in flight, retries, rate, cost, time left."""
    assert progress_text(Progress(plan=PLAN, counts=counts, seconds=seconds)) == told


class Reporter:
    """Stands in for pytest's terminal reporter; keeps what is written."""

    def __init__(self, *, isatty: bool = True, hasmarkup: bool = True) -> None:
        self.isatty = isatty
        self.hasmarkup = hasmarkup
        self.lines: list[str] = []
        self.written: list[str] = []
        self._tw = SimpleNamespace(
            fullwidth=40,
            write=self._write,
            line=lambda: self.written.append("\n"),
            width_of_current_line=0,
            _current_line="text",
        )

    def write_line(self, text: str) -> None:
        """Write a whole line."""
        self.lines.append(text)

    def ensure_newline(self) -> None:
        """End the line that was begun."""
        self.written.append("\n")

    def _write(self, text: str, *, flush: bool) -> None:
        assert flush
        self.written.append(text)


def shown_as(reporter: Reporter) -> pytest.TerminalReporter:
    """Return the stand-in as what it stands in for."""
    return cast("pytest.TerminalReporter", reporter)


class Time:
    """A clock that only waiting moves; futures are done at set times."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._done_at: dict[Future[object], float] = {}

    def future(self, seconds: float) -> Future[object]:
        """Return what will be done so many seconds from now."""
        future: Future[object] = Future()
        self._done_at[future] = self.now + seconds
        return future

    def clock(self) -> float:
        """Return the time."""
        return self.now

    def is_done(self, future: Future[object], timeout: float | None) -> bool:
        """Wait for a future as `concurrent.futures.wait` would."""
        left = max(0.0, self._done_at[future] - self.now)
        self.now += left if timeout is None else min(left, timeout)
        return self.now >= self._done_at[future]


def waited(display: Display, *seconds: float) -> None:
    """Wait for so many answers one after another, each so long."""
    time = Time()
    waiting = Waiting(display, Counts(), clock=time.clock, is_done=time.is_done)
    waiting.begin(PLAN)
    for each in seconds:
        waiting.wait_for(time.future(each))


@pytest.mark.parametrize(
    ("seconds", "lines"),
    [
        ([29.0], 0),
        ([31.0], 1),
        ([95.0], 3),
        # One answer takes 5 s, all of them together a minute and more.
        ([5.0] * 13, 2),
        ([5.0] * 5, 0),
        # Each is there when it is waited for; what lies between takes the time.
        ([15.0, 15.0, 0.0, 0.0], 1),
    ],
)
def test_a_log_has_a_line_every_half_minute(seconds: list[float], lines: int) -> None:
    """Over all waits together, and none in a short run."""
    reporter = Reporter()
    waited(SpacedLines(shown_as(reporter)), *seconds)
    assert reporter.lines == ["llm: 0/120 answered, 0 in flight, cost unknown"] * lines
    assert set(reporter.written) <= {"\n"}


def test_a_terminal_has_a_line_that_goes() -> None:
    """After a moment, no wider than the terminal, taken away at the end."""
    reporter = Reporter()
    display = LiveLine(shown_as(reporter))
    waited(display, 0.4)
    assert reporter.written == []
    waited(display, 0.8)
    begin = "\r\x1b[2K"
    text = "llm: 0/120 answered, 0 in flight, cost u"
    assert reporter.written == ["\n", *[f"{begin}{text[:39]}"] * 2, begin]
    assert reporter.lines == []


def test_a_worker_tells_its_controller_each_second() -> None:
    """At the first answer, then once a second, however short the waits are."""
    told: list[int] = []
    display = Telling(lambda counts: told.append(counts.answered))
    waited(display, *[0.25] * 12)
    assert len(told) == 1 + 3


def test_workers_are_summed_up() -> None:
    """A call that fails is tried by each of them, and failed once."""
    ours = Counts(answered=2, stored=1, in_flight=3, failed=1, retries=1, usd=0.5)
    theirs = Counts(answered=4, in_flight=1, failed=2, probe_calls=5)
    assert Counts.of_workers([ours, theirs]) == Counts(
        answered=6,
        stored=1,
        in_flight=4,
        failed=2,
        retries=1,
        usd=0.5,
        probe_calls=5,
    )
    assert Counts.of_workers([]) == Counts()


class Watched:
    """A controller's watching whose clock stands still until it is told."""

    def __init__(self, kind: type[LiveLine | SpacedLines]) -> None:
        self.reporter = Reporter()
        self.now = 1000.0
        self.counts = Counts()
        self.watching = Watching(
            kind(shown_as(self.reporter)), PLAN, lambda: self.counts, lambda: self.now
        )

    def pass_time(self, seconds: float) -> None:
        """Let time pass, looking whenever the thread would."""
        until = self.now + seconds
        while (pause := self.watching.look()) is not None and self.now < until:
            self.now = min(until, self.now + pause)


def test_a_controllers_log_has_a_line_every_half_minute() -> None:
    """One for all workers, whatever else is written meanwhile."""
    watched = Watched(SpacedLines)
    watched.pass_time(29)
    assert watched.reporter.lines == []
    with watched.watching.still():
        watched.now += 0.5
    watched.counts = Counts(answered=31, in_flight=8)
    watched.pass_time(1)
    assert watched.reporter.lines == [
        "llm: 31/120 answered, 8 in flight, 1.0/s, cost unknown, 1 min left"
    ]
    watched.pass_time(95)
    assert len(watched.reporter.lines) == 4


def test_a_controllers_line_makes_room_for_results() -> None:
    """It comes when nothing was written for a moment, and goes before pytest writes."""
    watched = Watched(LiveLine)
    watched.pass_time(0.4)
    assert watched.reporter.written == []
    watched.pass_time(0.2)
    begin = "\r\x1b[2K"
    assert [text[:9] for text in watched.reporter.written] == ["\n", f"{begin}llm:"]
    with watched.watching.still():
        assert watched.reporter.written[-1] == begin
        watched.now += 5
    written = len(watched.reporter.written)
    watched.pass_time(0.4)
    assert len(watched.reporter.written) == written
    watched.watching.stop()
    assert len(watched.reporter.written) == written


def test_a_controllers_line_keeps_off_its_dots() -> None:
    """They end in a line of their own, and begin at the edge afterwards."""
    for kind in (LiveLine, SpacedLines):
        watched = Watched(kind)
        writer = watched.reporter._tw
        writer.width_of_current_line = 3
        watched.pass_time(30.1)
        assert watched.reporter.written[1] == "\n"
        assert writer._current_line == ("" if kind is LiveLine else "text")


def test_silence_needs_no_thread() -> None:
    """With `-q` there is nothing to look for."""
    assert Watching(Silence(), PLAN, Counts).look() is None


def test_a_run_of_workers_tells_how_far_all_are(
    suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The controller's lines count what the workers told; the answer waits for one."""
    monkeypatch.setattr(live, "SPACED", 0.01)
    suite.write_file("llm_variants.yaml", "variants: {v: {call: 'waits:answer'}}")
    suite.write_file(
        "waits.py",
        f"""\
        import pathlib, time


        def answer(request):
            for _ in range(4000):
                if pathlib.Path({str(suite.path / "seen")!r}).exists():
                    return "Paris"
                time.sleep(0.01)
        """,
    )

    def seen(progress: Progress) -> str:
        text = progress_text(progress)
        if progress.counts.in_flight:
            (suite.path / "seen").touch()
        return text

    monkeypatch.setattr(live, "progress_text", seen)
    run = suite.run("--llm-probe=off", "--llm-variant=v", "-k", "capital", "-n1")
    run.stdout.fnmatch_lines(["*llm: 0/1 answered, 1 in flight, cost unknown"])
    run.assert_outcomes(failed=1)


def test_an_interrupt_takes_the_line_away() -> None:
    """What pytest then says stands on a line of its own."""
    reporter = Reporter()

    def interrupted(_: Future[object], timeout: float | None) -> bool:
        if timeout == 0.2:
            raise KeyboardInterrupt
        return False

    waiting = Waiting(LiveLine(shown_as(reporter)), Counts(), is_done=interrupted)
    with pytest.raises(KeyboardInterrupt):
        waiting.wait_for(Future())
    assert reporter.written[-1] == "\r\x1b[2K"


@pytest.mark.parametrize(
    ("reporter", "environment", "verbosity", "kind"),
    [
        (Reporter(), {}, 0, LiveLine),
        (Reporter(), {"CI": "true"}, 0, SpacedLines),
        (Reporter(), {"BUILD_NUMBER": "3"}, 0, SpacedLines),
        (Reporter(isatty=False), {}, 0, SpacedLines),
        (Reporter(hasmarkup=False), {}, 1, SpacedLines),
        (Reporter(), {}, -1, Silence),
        (None, {}, 0, Silence),
    ],
)
def test_who_shows_what(
    monkeypatch: pytest.MonkeyPatch,
    reporter: Reporter | None,
    environment: dict[str, str],
    verbosity: int,
    kind: type[Display],
) -> None:
    """A terminal the live line, a log lines at times, a worker and `-q` nothing."""
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config = SimpleNamespace(
        pluginmanager=SimpleNamespace(get_plugin=lambda _: reporter),
        get_verbosity=lambda: verbosity,
    )
    assert isinstance(display_of(cast("pytest.Config", config)), kind)


class Eager(SpacedLines):
    """Writes at once, and tells when it has."""

    written = threading.Event()

    def pause(self, now: float) -> float | None:
        """Return at once."""
        super().pause(now)
        return 0.01

    def show(self, progress: Progress, now: float) -> None:
        """Write, then tell."""
        super().show(progress, now)
        self.written.set()


def test_a_run_tells_its_log_what_it_waits_for(
    suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer comes once the line is there."""
    monkeypatch.setattr(live, "SpacedLines", Eager)
    suite.write_file(
        "conftest.py",
        """\
        from pytest_llm_diagnosis.plugin import live


        def pytest_llm_live_call(config, variant):
            live.SpacedLines.written.wait(30)
        """,
    )
    run = suite.run("--llm-probe=off", "-k", "capital")
    run.stdout.fnmatch_lines(["llm: 0/1 answered, * in flight, cost unknown"])
    run.assert_outcomes(failed=1, deselected=2)
