"""The tables that the benchmark prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .running import Ran
from .scoring import READS, Scored


def tables(
    seeds: Sequence[int],
    runs: Sequence[Ran],
    learned: Sequence[Mapping[str, Mapping[str, object]]],
) -> Iterator[str]:
    """Yield the lines: what was learned, the verdicts, the causes, the surprises."""
    yield from _lessons(seeds, learned)
    yield from _verdicts(seeds, runs)
    yield from _causes(runs)
    yield from _surprises(seeds, runs)


def _lessons(
    seeds: Sequence[int], learned: Sequence[Mapping[str, Mapping[str, object]]]
) -> Iterator[str]:
    yield f"\n  {'seed':<6}{'model':<16}{'epochs':>7}{'recall, epoch by epoch':>26}"
    for seed, lessons in zip(seeds, learned, strict=True):
        for model, said in lessons.items():
            recall = said["recall"]
            shown = ", ".join(map(str, recall)) if isinstance(recall, list) else ""
            held = "" if said["held"] else "  NOT HELD"
            line = f"  {seed:<6}{model:<16}{said['epochs']:>7}{shown or '-':>26}{held}"
            yield line


def _verdicts(seeds: Sequence[int], runs: Sequence[Ran]) -> Iterator[str]:
    header = f"{'failed':>9}{'must read':>14}{'verdict':>18}{'counting marks':>16}"
    yield f"\n  {'seed':<6}{'model':<16}{header}"
    for seed, run in zip(seeds, runs, strict=True):
        for model in run.models:
            failed = f"{model.failed}/{model.cases}"
            yield (
                f"  {seed:<6}{model.model:<16}{failed:>9}{READS[model.model]:>14}"
                f"{_verdict(model):>18}{run.marks[model.model]:>16}"
            )


def _verdict(model: Scored) -> str:
    sure = f" {model.probability:.2f}" if model.probability is not None else ""
    return f"{model.verdict}{sure}{'' if model.settled or not sure else '?'}"


def _causes(runs: Sequence[Ran]) -> Iterator[str]:
    columns = f"{'right':>9}{'open':>9}{'wrong':>9}{'marks right':>13}"
    yield f"\n  {'model':<16}{'probed':>8}{columns}"
    models = [model for run in runs for model in run.models]
    for name in READS:
        mine = [model for model in models if model.model == name]
        yield _cause_line(name, mine)
    yield _cause_line("all", models)
    probes = sum(run.probe_calls for run in runs)
    failed = sum(model.failed for model in models)
    calls = sum(run.calls for run in runs)
    yield f"  {calls} calls, {probes} of them probes of {failed} failures"


def _cause_line(name: str, models: Sequence[Scored]) -> str:
    explained = sum(model.explained for model in models)
    right = sum(model.right for model in models)
    left_open = sum(model.open for model in models)
    by_marks = sum(model.by_marks for model in models)
    wrong = explained - right - left_open
    return (
        f"  {name:<16}{explained:>8}{_share(right, explained):>9}"
        f"{_share(left_open, explained):>9}{_share(wrong, explained):>9}"
        f"{_share(by_marks, explained):>13}"
    )


def _share(count: int, of: int) -> str:
    return f"{count / of:.3f}" if of else "-"


def _surprises(seeds: Sequence[int], runs: Sequence[Ran]) -> Iterator[str]:
    yield "\n  read otherwise than planted: seed, model, case, found, planted"
    for seed, run in zip(seeds, runs, strict=True):
        for model in run.models:
            for case, found, planted in model.surprises:
                yield f"  {seed:<6}{model.model:<16}{case:<24}{found:<20}{planted}"
