"""`llm-diagnosis`: saved reports, new suites and imported ones, without any call."""

from __future__ import annotations

import argparse
import io
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from .checks import Registry, default_registry
from .checks.reference import reference
from .diagnosis import MARGIN, diagnose
from .errors import DiagnosisError
from .gates import Gate, judge, needs_baseline
from .importing import module_of
from .new_files import write_new
from .printing import on_one_line, printable
from .promptfoo import import_config, summary
from .report.comparing import compared, comparison_lines
from .report.explaining import explained
from .report.formats import FORMATS, Writer, writer_of
from .report.gating import gate_lines
from .report.json_report import read_json
from .report.lines import Line
from .report.markdown import append_markdown
from .report.merging import Part, merge
from .report.terminal import summary_lines
from .report.view import View
from .schema import call_schema, eval_schema, variants_schema
from .starting import NEXT, starter_files
from .validating import validate_files

REGISTERING_HOOK = "pytest_llm_register_checks"


class _Told(NamedTuple):
    text: str
    status: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    1 says that a gate does not hold or a run is worse than its baseline, 2 that
    the user made a mistake.
    """
    options = _parser().parse_args(arguments)
    try:
        told: _Told = options.command(options)
    except (DiagnosisError, OSError) as error:
        sys.stderr.write(f"llm-diagnosis: {printable(str(error))}\n")
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal cannot show must not end the report.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout.write(told.text)
    return told.status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="llm-diagnosis", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_report(commands)
    merging = commands.add_parser(
        "merge", help="join the reports of shards into the report of the whole"
    )
    merging.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="path",
        help="the reports of all shards, or of runs of different cases",
    )
    merging.add_argument(
        "-o",
        "--output",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help=f"write it to this file ({', '.join(FORMATS)}; repeatable)",
    )
    merging.add_argument(
        "--partial", action="store_true", help="go on where shards are missing"
    )
    merging.add_argument(
        "--gate",
        action="append",
        default=[],
        metavar="EXPR",
        help="what must hold of the whole, as in pytest --llm-gate; else status 1",
    )
    merging.add_argument(
        "--baseline", type=Path, metavar="PATH", help="compare with an earlier report"
    )
    merging.set_defaults(command=_merge)
    _add_comparing(commands)
    schema = commands.add_parser("schema", help="print a JSON Schema for editors")
    schema.add_argument("kind", choices=("eval", "variants", "call"))
    schema.set_defaults(command=_schema)
    checks = commands.add_parser("checks", help="print the reference of all checks")
    checks.set_defaults(command=lambda options: _Told(reference(_registry(options))))
    for command in (schema, checks):
        _add_conftest(command)
    _add_validating(commands)
    _add_writers(commands)
    return parser


def _add_report(commands: argparse._SubParsersAction[ArgumentParser]) -> None:
    report = commands.add_parser(
        "report", help="diagnose a saved report.json again, and show or convert it"
    )
    report.add_argument("path", type=Path, help="a report written by --llm-report")
    report.add_argument("--seed", type=int, help="another seed for the draws")
    report.add_argument(
        "--to",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help=f"write it there ({', '.join(FORMATS)}; repeatable); else it is shown",
    )
    report.set_defaults(command=_report)


def _add_validating(commands: argparse._SubParsersAction[ArgumentParser]) -> None:
    validating = commands.add_parser(
        "validate", help="look at eval and variants files; status 1 if one is wrong"
    )
    validating.add_argument(
        "paths",
        type=Path,
        nargs="*",
        metavar="FILE",
        help="*.eval.yaml or llm_variants.yaml; all of them below here by default",
    )
    _add_conftest(validating)
    validating.set_defaults(command=_validate)


def _add_conftest(command: ArgumentParser) -> None:
    command.add_argument(
        "--conftest",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a conftest.py whose registered checks belong to it too",
    )


def _registry(options: argparse.Namespace) -> Registry:
    """Return the built-in checks and those that the given files register."""
    registry = default_registry()
    for path in options.conftest:
        register = getattr(module_of(path), REGISTERING_HOOK, None)
        if register is None:
            raise DiagnosisError(f"{path}: it has no function {REGISTERING_HOOK}")
        try:
            register(registry=registry)
        except Exception as error:
            said = f"{REGISTERING_HOOK} raised {type(error).__name__}: {error}"
            raise DiagnosisError(f"{path}: {said}") from error
    return registry


def _add_writers(commands: argparse._SubParsersAction[ArgumentParser]) -> None:
    starting = commands.add_parser("init", help="write a small suite that runs at once")
    starting.add_argument(
        "folder", type=Path, nargs="?", default=Path(), help="where; here by default"
    )
    starting.set_defaults(command=_init)
    importing = commands.add_parser(
        "import", help="make eval files and variants of another tool's config"
    )
    importing.add_argument("tool", choices=("promptfoo",))
    importing.add_argument("path", type=Path, help="promptfooconfig.yaml")
    importing.add_argument(
        "-o", "--output", type=Path, help="the folder to write to; else the config's"
    )
    importing.set_defaults(command=_import)


def _add_comparing(commands: argparse._SubParsersAction[ArgumentParser]) -> None:
    comparing = commands.add_parser(
        "compare", help="tell what changed between two reports; status 1 if worse"
    )
    comparing.add_argument("old", type=Path, help="the earlier report, the baseline")
    comparing.add_argument("new", type=Path, help="the later report")
    comparing.add_argument(
        "--margin",
        type=float,
        default=100 * MARGIN,
        metavar="POINTS",
        help="a smaller drop of the pass rate is taken for none (default: 10)",
    )
    comparing.add_argument(
        "--strict", action="store_true", help="status 1 where it is inconclusive too"
    )
    comparing.set_defaults(command=_compare)
    explaining = commands.add_parser("explain", help="tell all that is known of a case")
    explaining.add_argument("case", help="an id, or FILE::ID[VARIANT]")
    explaining.add_argument("path", type=Path, help="a report written by --llm-report")
    explaining.set_defaults(command=_explain)


def _report(options: argparse.Namespace) -> _Told:
    writers = [(path, _writer("--to", path)) for path in options.to]
    saved = read_json(options.path)
    seed = saved.run.seed if options.seed is None else options.seed
    # What differed between variants is known to the run alone.
    known = saved.diagnosis
    again = replace(
        diagnose(
            saved.results,
            seed=seed,
            given=known.given,
            probing=known.probing,
            setups=known.setups,
        ),
        confounds=known.confounds,
    )
    view = replace(saved, diagnosis=again)
    if not writers:
        return _Told(_text(summary_lines(view)))
    for path, write in writers:
        write(path, view)
    return _Told("".join(f"wrote {path}\n" for path in options.to))


def _writer(option: str, path: Path) -> Writer:
    if path.suffix not in FORMATS:
        raise DiagnosisError(
            f"{option} {path}: unknown format {path.suffix!r}; "
            f"valid: {', '.join(FORMATS)}"
        )
    return writer_of(path)


def _merge(options: argparse.Namespace) -> _Told:
    gates = tuple(map(Gate.read, options.gate))
    for gate in gates:
        if needs_baseline(gate.term) and options.baseline is None:
            raise DiagnosisError(f"--gate {gate.text!r} needs --baseline PATH")
    writers = [(path, _writer("--output", path)) for path in options.output]
    parts = [Part(path, read_json(path)) for path in options.paths]
    merged = merge(parts, partial=options.partial)
    if gates and merged.run.shard is not None:
        raise DiagnosisError("--gate cannot judge a part: give the missing shards too")
    if options.baseline is not None:
        earlier = read_json(options.baseline)
        comparison = compared(earlier, merged, options.baseline)
        merged = replace(merged, comparison=comparison)
    for path, write in writers:
        write(path, merged)
    _add_step_summary(merged)
    judged = [judge(gate, merged.diagnosis, merged.comparison) for gate in gates]
    text = _text([*summary_lines(merged), *gate_lines(judged, merged.diagnosis)])
    return _Told(text, status=int(not all(one.passed for one in judged)))


def _add_step_summary(merged: View) -> None:
    """Add to GitHub's page of the step, as a run does."""
    # It knows pytest, which no other command needs.
    from .plugin.github import step_summary

    path = step_summary()
    if path is not None:
        append_markdown(path, merged)


def _validate(options: argparse.Namespace) -> _Told:
    root = Path.cwd()
    found = validate_files(options.paths, root, _registry(options))
    text = "".join(f"{line}\n" for line in found.lines(root))
    return _Told(text, status=int(bool(found.problems)))


def _init(options: argparse.Namespace) -> _Told:
    written = write_new(options.folder, starter_files())
    return _Told("".join(f"wrote {path}\n" for path in written) + NEXT)


def _import(options: argparse.Namespace) -> _Told:
    imported = import_config(options.path, default_registry())
    folder = options.path.parent if options.output is None else options.output
    written = write_new(folder, imported.files)
    return _Told("".join(f"{line}\n" for line in summary(imported, map(str, written))))


def _compare(options: argparse.Namespace) -> _Told:
    if not 0 <= options.margin <= 100:  # noqa: PLR2004 - points of a rate
        raise DiagnosisError(f"--margin lies between 0 and 100, not {options.margin:g}")
    before, after = read_json(options.old), read_json(options.new)
    comparison = compared(before, after, options.old, options.margin / 100)
    results = set(comparison.results.values())
    if results == {None}:
        raise DiagnosisError("no case was graded in both reports")
    worse = "fail" in results or (options.strict and "inconclusive" in results)
    return _Told(_text(comparison_lines(comparison, after.diagnosis)), int(worse))


def _explain(options: argparse.Namespace) -> _Told:
    return _Told(_text(explained(read_json(options.path).results, options.case)))


def _text(lines: Iterable[Line]) -> str:
    # A saved report may hold anything in any of its texts, names included.
    return "".join(f"{on_one_line(line.text)}\n" for line in lines)


def _schema(options: argparse.Namespace) -> _Told:
    if options.kind == "variants":
        shown = variants_schema()
    elif options.kind == "call":
        shown = call_schema()
    else:
        registry = _registry(options)
        shown = eval_schema(
            registry.parameter_schemas("facts"),
            registry.parameter_schemas("form"),
            registry.parameter_schemas("limits"),
        )
    return _Told(f"{json.dumps(shown, indent=2)}\n")
