"""Command line and ini values to one record, checked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, cast

import pytest

from pytest_llm_diagnosis.records import Shard
from pytest_llm_diagnosis.report.formats import FORMATS

from . import OPTIONS
from .distribution import run_started

if TYPE_CHECKING:
    from pytest_llm_diagnosis.gates import Gate

_T = TypeVar("_T", int, float)

_SHARDS = "give I/N, such as 1/3, 2/3 and 3/3 for three parts"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the user asked for.  Times in seconds, money in USD.

    `variant` and `probe_variants` are as written; `baseline` is an earlier report;
    `started` is when the run began (seconds since the epoch), the same in every
    xdist worker.
    """

    variant: str | None
    trials: int | None
    probe: Literal["off", "quick", "standard"]
    probe_variants: str | None
    probe_max: int
    confirm: bool
    answers: Literal["auto", "fresh", "replay"]
    record: bool
    prune_recordings: bool
    concurrency: int
    timeout: float
    attempts: int
    retry_time: float
    retry_after_max: float
    max_calls: int | None
    budget: float | None
    seed: int
    shard: Shard | None
    reports: tuple[Path, ...]
    baseline: Path | None
    gates: tuple[Gate, ...]
    variants_file: Path | None
    started: float


def read_options(config: pytest.Config) -> RunOptions:
    """Return the run's options; raises `pytest.UsageError` on a bad value."""
    values = {option.twin: _value(config, option.twin) for option in OPTIONS}
    text = cast("dict[str, str | None]", values)

    def number(twin: str, kind: Callable[[str], _T], least: _T) -> _T | None:
        given = config.getoption(twin) is not None
        name = f"--{twin.replace('_', '-')}" if given else f"{twin} (ini)"
        return _number(name, text[twin], kind, least)

    return RunOptions(
        variant=text["llm_variant"] or None,
        trials=number("llm_trials", int, 1),
        probe=cast("Literal['off', 'quick', 'standard']", _one_of(text, "llm_probe")),
        probe_variants=text["llm_probe_variants"] or None,
        probe_max=number("llm_probe_max", int, 0) or 0,
        confirm=bool(values["llm_confirm"]),
        answers=cast(
            "Literal['auto', 'fresh', 'replay']", _one_of(text, "llm_answers")
        ),
        record=bool(values["llm_record"]),
        prune_recordings=bool(values["llm_prune_recordings"]),
        concurrency=number("llm_concurrency", int, 1) or 1,
        timeout=number("llm_timeout", float, 0.001) or 60.0,
        attempts=number("llm_attempts", int, 1) or 1,
        retry_time=number("llm_retry_time", float, 0.0) or 0.0,
        retry_after_max=number("llm_retry_after_max", float, 0.0) or 0.0,
        max_calls=number("llm_max_calls", int, 0),
        budget=number("llm_budget", float, 0.0),
        seed=number("llm_seed", int, 0) or 0,
        shard=_shard(text["llm_shard"], confirm=bool(values["llm_confirm"])),
        reports=_reports(config, cast("list[str]", values["llm_report"] or [])),
        baseline=_baseline(config, text["llm_baseline"]),
        gates=_gates(cast("list[str]", values["llm_gate"] or []), text),
        variants_file=_variants_file(config, text["llm_variants_file"]),
        started=run_started(config),
    )


def _value(config: pytest.Config, twin: str) -> object:
    given = config.getoption(twin)
    return config.getini(twin) if given is None else given


def _number(
    name: str, text: str | None, kind: Callable[[str], _T], least: _T
) -> _T | None:
    if text is None or text == "":
        return None
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not value >= least:
        what = "a whole number" if kind is int else "a number"
        raise pytest.UsageError(
            f"{name} must be {what} of at least {least}, got {text!r}"
        )
    return value


def _shard(text: str | None, *, confirm: bool) -> Shard | None:
    if not text:
        return None
    try:
        shard = Shard.parse(text)
    except ValueError as error:
        raise pytest.UsageError(f"--llm-shard: {error}; {_SHARDS}") from None
    if len(shard.numbers) > 1:
        raise pytest.UsageError(f"--llm-shard: {text!r} is several shards; {_SHARDS}")
    if confirm:
        raise pytest.UsageError(
            "--llm-confirm needs the verdict on the whole suite: "
            "run it without --llm-shard"
        )
    return shard


def _baseline(config: pytest.Config, name: str | None) -> Path | None:
    if not name:
        return None
    path = config.invocation_params.dir / name
    if not path.is_file():
        raise pytest.UsageError(f"--llm-baseline {name}: no such file")
    return path


def _gates(texts: list[str], given: Mapping[str, str | None]) -> tuple[Gate, ...]:
    if not texts:
        return ()
    if given["llm_shard"]:
        raise pytest.UsageError(
            "--llm-gate cannot judge the whole from one shard: run the shards without "
            "it (-o llm_gate=), then llm-diagnosis merge --gate EXPR part-*.json"
        )
    # Most runs have no gate.
    from pytest_llm_diagnosis.gates import Gate, GateError, needs_baseline

    try:
        gates = tuple(map(Gate.read, texts))
    except GateError as error:
        raise pytest.UsageError(f"--llm-gate {error}") from None
    for gate in gates:
        if needs_baseline(gate.term) and not given["llm_baseline"]:
            raise pytest.UsageError(
                f"--llm-gate {gate.text!r} needs an earlier report: "
                "give --llm-baseline report.json"
            )
    return gates


def _one_of(values: dict[str, str | None], twin: str) -> str:
    """Return a value of a closed set; argparse checks options, not ini files."""
    choices = next(option.choices for option in OPTIONS if option.twin == twin) or ()
    value = values[twin] or ""
    if value not in choices:
        raise pytest.UsageError(
            f"{twin} must be one of {', '.join(choices)}, got {value!r}"
        )
    return value


def _leaves(path: Path, root: Path, *, in_ini: bool) -> bool:
    meant_inside = in_ini or Path(os.path.normpath(path)).is_relative_to(root)
    try:
        within = path.parent.resolve().is_relative_to(root.resolve())
    # A loop of symlinks is a RuntimeError up to Python 3.12.
    except (OSError, RuntimeError):
        return True
    return meant_inside and not within


def _variants_file(config: pytest.Config, name: str | None) -> Path | None:
    if not name:
        return None
    path = config.invocation_params.dir / name
    if not path.is_file():
        raise pytest.UsageError(f"--llm-variants-file {name}: no such file")
    return path


def _reports(config: pytest.Config, names: list[str]) -> tuple[Path, ...]:
    """Return where reports go: anywhere the command line says, ini files inside.

    No link of a checkout leads one out of it.
    """
    paths = tuple(config.invocation_params.dir / name for name in names)
    in_ini = config.getoption("llm_report") is None
    for path in paths:
        if path.suffix not in FORMATS:
            raise pytest.UsageError(
                f"--llm-report {path.name}: unknown format {path.suffix!r}; "
                f"valid: {', '.join(FORMATS)}"
            )
        if _leaves(path, config.rootpath, in_ini=in_ini):
            name = "llm_report (ini)" if in_ini else "--llm-report"
            raise pytest.UsageError(
                f"{name} {path}: leads out of the root folder {config.rootpath}"
            )
    return paths
