"""How long reports take and how large they are, and how the page feels.

    python -m benchmarks.reports [--cases 10000] [--variants 2] [--out FOLDER]

The cases are planted: half of each mark, a third failing, 40 of each variant asked
again, answers of about 400 characters, three of 300 passages beside each answer of
every second variant.  The floor is `json.dumps` of the same data in one piece.

The page's figures come from headless Chromium, where it is installed: from its
opening until it can be used, from a key until the list has changed, and the CPU time
of its main thread, which other processes do not disturb.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from pytest_llm_diagnosis.diagnosis import diagnose
from pytest_llm_diagnosis.records import (
    Answer,
    Arm,
    Ask,
    CaseResult,
    Cause,
    Context,
    Finding,
    Grade,
    Ideal,
    JsonObject,
    Mark,
    RunFacts,
    Rung,
    Tokens,
    Trial,
    Verdict,
)
from pytest_llm_diagnosis.report.formats import writer_of
from pytest_llm_diagnosis.report.json_report import read_json
from pytest_llm_diagnosis.report.terminal import summary_lines
from pytest_llm_diagnosis.report.view import View
from pytest_llm_diagnosis.report.wording import diagnosis_dict

if TYPE_CHECKING:
    from browser import Browser

SEED = 7
PROBED = 40
WORDS = [
    *("the", "a", "of", "to", "and", "in", "order", "parcel", "delivery", "returns"),
    *("within", "days", "customer", "refund", "boots", "tent", "voucher", "store"),
    *("invoice", "address", "warranty", "repair", "exchange", "label", "please"),
]
CAUSES: Sequence[tuple[Cause, int, Arm | None]] = (
    ("knowledge", 14, "E"),
    ("instruction", 5, "S"),
    ("examples", 6, "X"),
    ("behavior", 4, None),
    ("both", 3, "ES"),
    ("unstable", 5, "R"),
    ("unexplained", 3, None),
)
_MEGABYTE = 1_000_000


# -- planted results -------------------------------------------------------


def planted(cases: int, variants: int) -> View:
    """Return a run of about so many results in all."""
    rng = random.Random(SEED)  # noqa: S311 - a simulation, not a secret
    passages = [
        Context(source=f"docs/{n // 10}.md#part-{n % 10}", text=_text(rng, 90))
        for n in range(300)
    ]
    results: list[CaseResult] = []
    for number in range(variants):
        left = PROBED
        for at in range(cases // variants):
            one = _result(rng, at, number, passages)
            if one.outcome == "failed" and left:
                left -= 1
                one = _probed(rng, one, left)
            results.append(one)
    run = RunFacts(seed=SEED, started="2026-01-01T00:00:00+00:00", calls=cases)
    diagnosis = diagnose(results, seed=SEED, probing=True)
    return View(run=run, results=tuple(results), diagnosis=diagnosis)


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words)).capitalize()


def _result(
    rng: random.Random, at: int, number: int, passages: Sequence[Context]
) -> CaseResult:
    mark: Mark = "behavior" if at % 2 else "knowledge"
    failed = rng.random() < 1 / 3
    shown = tuple(rng.sample(passages, 3)) if number % 2 else ()
    name, variant = f"case-{at}", f"variant-{number}"
    asked = random.Random(at)  # noqa: S311 - the same prompt under every variant
    return CaseResult(
        nodeid=f"evals/{at // 100}.eval.yaml::{name}[{variant}]",
        file=f"evals/{at // 100}.eval.yaml",
        line=1 + 8 * (at % 100),
        id=name,
        mark=mark,
        variant=variant,
        outcome="failed" if failed else "passed",
        trials=(_trial(rng, mark, failed=failed, shown=shown),),
        cluster=f"cluster-{at // 5}",
        asks_facts=True,
        asks_form=mark == "behavior",
        messages=({"role": "user", "content": _text(asked, 25)},),
        ideal=Ideal(text=_text(asked, 12)),
    )


def _trial(
    rng: random.Random,
    mark: Mark,
    *,
    failed: bool,
    shown: tuple[Context, ...] = (),
) -> Trial:
    reason = f"expected 45 days, found {_text(rng, 8)!r}" if failed else ""
    code = "number:other" if failed else None
    decides = Verdict(check="number", passed=not failed, code=code, reason=reason)
    other = Verdict(check="max_words", passed=True)
    facts, form = (decides, other) if mark == "knowledge" else (other, decides)
    tokens = Tokens(prompt=rng.randint(80, 900), completion=rng.randint(20, 120))
    answer = Answer(
        text=_text(rng, rng.randint(40, 90)),
        contexts=shown,
        tokens=tokens,
        usd=tokens.prompt * 1.5e-7,
        seconds=round(rng.uniform(0.2, 3), 3),
        finish_reason="stop",
    )
    return Trial(answer=answer, grade=Grade(facts=(facts,), form=(form,)))


def _probed(rng: random.Random, one: CaseResult, number: int) -> CaseResult:
    causes = [entry for entry in CAUSES for _ in range(entry[1])]
    cause, _, fixing = causes[number % len(causes)]
    arms: dict[str, tuple[Ask, ...]] = {
        arm: tuple(_ask(rng, one.mark, right=arm == fixing) for _ in range(2))
        for arm in ("R", "F", "S", "E", *([fixing] if fixing else []))
    }
    rung: Rung | None = "instruction" if cause == "both" else None
    finding = Finding(cause=cause, rung=rung, probability=0.93, arms=arms)
    return replace(one, finding=finding, rank=PROBED - number)


def _ask(rng: random.Random, mark: Mark, *, right: bool) -> Ask:
    trial = _trial(rng, mark, failed=not right)
    return Ask(
        facts=trial.grade.passed("facts"),
        form=trial.grade.passed("form"),
        trial=trial,
    )


# -- writing ---------------------------------------------------------------


class Written(NamedTuple):
    """The CPU seconds that a report takes, median of three, and its bytes."""

    name: str
    seconds: float
    size: int


def written(view: View, folder: Path) -> Iterator[Written]:
    """Yield the floor, then every format."""
    yield _measured("json.dumps", lambda: _floor(view, folder), folder / "floor.json")
    for name in ("report.json", "report.html", "report.md"):
        path = folder / name

        def write(path: Path = path) -> None:
            writer_of(path)(path, view)

        yield _measured(path.suffix, write, path)
    shown = folder / "terminal.txt"
    yield _measured("terminal", lambda: _terminal(view, shown), shown)


def _floor(view: View, folder: Path) -> None:
    data = {
        "run": view.run.to_dict(),
        "cases": [one.to_dict() for one in view.results],
        **diagnosis_dict(view.diagnosis),
    }
    (folder / "floor.json").write_text(json.dumps(data), encoding="ascii")


def _terminal(view: View, path: Path) -> None:
    text = "\n".join(line.text for line in summary_lines(view))
    path.write_text(text, encoding="utf-8")


def _measured(name: str, write: Callable[[], None], path: Path) -> Written:
    times = [_timed(write) for _ in range(3)]
    return Written(name, statistics.median(times), path.stat().st_size)


def _timed(work: Callable[[], object]) -> float:
    """Return the CPU seconds of some work: other processes do not count."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def tell(rows: Sequence[Written]) -> None:
    """Print a table, with ratios to its first row."""
    floor = rows[0]
    print(f"  {'':<12}{'CPU s':>8}{'x floor':>9}{'MB':>9}{'x floor':>9}")
    for row in rows:
        print(
            f"  {row.name:<12}{row.seconds:>8.3f}{row.seconds / floor.seconds:>9.2f}"
            f"{row.size / _MEGABYTE:>9.3f}{row.size / floor.size:>9.3f}"
        )


# -- the page --------------------------------------------------------------

_TYPED = """\
const done = arguments[arguments.length - 1];
const find = document.getElementById("find");
find.value = arguments[0];
const begun = performance.now();
find.dispatchEvent(new Event("input", {bubbles: true}));
requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
"""
_CLICKED = """\
const done = arguments[arguments.length - 1];
const begun = performance.now();
document.querySelector(arguments[0]).click();
requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
"""
_SCROLLED = """\
const done = arguments[arguments.length - 1];
const grid = document.getElementById("grid");
const [frames, most] = [[], 60];
let last = performance.now();
function step() {
  const now = performance.now();
  frames.push(now - last);
  last = now;
  grid.scrollTop += grid.scrollHeight / most;
  if (frames.length < most) requestAnimationFrame(step);
  else done(frames.sort((a, b) => a - b)[Math.floor(most * 0.95)]);
}
requestAnimationFrame(step);
"""
_READY = """\
const [entry] = performance.getEntriesByType("navigation");
return entry.domContentLoadedEventEnd - entry.startTime;
"""


def page(path: Path) -> None:
    """Print how the page feels in a browser, and what its main thread spends."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from browser import browser, missing  # a helper of the tests

    reason = missing()
    if reason is not None:
        print(f"  no figures of the page: {reason}")
        return
    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as chromium:
        chromium.told("Performance.enable", timeDomain="threadTicks")
        print(f"  {'':<30}{'ms':>8}{'CPU ms':>8}")
        for name, script, *arguments in _STEPS:
            before = _busy(chromium)
            if script is None:
                # A page of its own has a process of its own, whose clock begins anew.
                before = 0.0
                chromium.open(path)
                passed = cast("float", chromium.run(_READY))
            else:
                answer = chromium.driver.execute_async_script(script, *arguments)
                passed = cast("float", answer)
            busy = 1000 * (_busy(chromium) - before)
            print(f"  {name:<30}{passed:>8.0f}{busy:>8.0f}")


_STEPS: Sequence[tuple[str, str | None, *tuple[str, ...]]] = (
    ("from opening to use", None),
    ("first text typed", _TYPED, "refund"),
    ("next text typed", _TYPED, "refund par"),
    ("text of no case", _TYPED, "xyzzy"),
    ("all again", _TYPED, ""),
    ("sorted by finding", _CLICKED, ".of-finding button"),
    ("sorted by time", _CLICKED, ".of-time button"),
    ("60 frames of scrolling, 95%", _SCROLLED),
    ("a case opened", _CLICKED, ".body .row .id"),
)


def _busy(chromium: Browser) -> float:
    """Return the CPU seconds that the page's main thread has spent so far."""
    metrics = chromium.told("Performance.getMetrics")["metrics"]
    named = {one["name"]: one["value"] for one in cast("list[JsonObject]", metrics)}
    return cast("float", named["TaskDuration"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--variants", type=int, default=2)
    parser.add_argument("--out", type=Path, help="keep the reports in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        view = planted(options.cases, options.variants)
        print(f"\n{len(view.results)} cases under {options.variants} variants")
        tell(list(written(view, folder)))
        reading = _timed(lambda: read_json(folder / "report.json"))
        print(f"  report.json is read back in {reading:.2f} CPU s")
        print("\nthe page in headless Chromium")
        page(folder / "report.html")
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            for path in folder.glob("report.*"):
                shutil.copy(path, options.out)


if __name__ == "__main__":
    main()
