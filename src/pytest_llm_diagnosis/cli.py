"""`llm-diagnosis`: saved reports, new suites and imported ones, without any call."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .checks import Registry, default_registry
from .checks.reference import reference
from .diagnosis import diagnose
from .errors import DiagnosisError
from .importing import module_of
from .new_files import write_new
from .promptfoo import import_config, summary
from .report.json_report import read_json, write_json
from .report.merging import Part, merge
from .report.terminal import summary_lines
from .report.view import View
from .schema import eval_schema, variants_schema
from .starting import NEXT, STARTER

REGISTERING_HOOK = "pytest_llm_register_checks"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, or 2 for a user's mistake."""
    options = _parser().parse_args(arguments)
    try:
        text: str = options.command(options)
    except (DiagnosisError, OSError) as error:
        sys.stderr.write(f"llm-diagnosis: {error}\n")
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal cannot show must not end the report.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout.write(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="llm-diagnosis", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    report = commands.add_parser("report", help="diagnose a saved report.json again")
    report.add_argument("path", type=Path, help="a report written by --llm-report")
    report.add_argument("--seed", type=int, help="another seed for the draws")
    report.set_defaults(command=_report)
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
    merging.add_argument("-o", "--output", type=Path, help="write it to this file")
    merging.add_argument(
        "--partial", action="store_true", help="go on where shards are missing"
    )
    merging.set_defaults(command=_merge)
    schema = commands.add_parser("schema", help="print a JSON Schema for editors")
    schema.add_argument("kind", choices=("eval", "variants"))
    schema.set_defaults(command=_schema)
    checks = commands.add_parser("checks", help="print the reference of all checks")
    checks.set_defaults(command=lambda options: reference(_registry(options)))
    for command in (schema, checks):
        command.add_argument(
            "--conftest",
            type=Path,
            action="append",
            default=[],
            metavar="PATH",
            help="a conftest.py whose registered checks belong to it too",
        )
    _add_writers(commands)
    return parser


def _registry(options: argparse.Namespace) -> Registry:
    """Return the built-in checks and those that the given files register."""
    registry = default_registry()
    for path in options.conftest:
        register = getattr(module_of(path), REGISTERING_HOOK, None)
        if register is None:
            raise DiagnosisError(f"{path}: it has no function {REGISTERING_HOOK}")
        register(registry=registry)
    return registry


def _add_writers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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


def _report(options: argparse.Namespace) -> str:
    saved = read_json(options.path)
    seed = saved.run.seed if options.seed is None else options.seed
    # What differed between variants is known to the run alone.
    known = saved.diagnosis
    again = replace(
        diagnose(saved.results, seed=seed, probing=known.probing),
        confounds=known.confounds,
    )
    return _summary(replace(saved, diagnosis=again))


def _merge(options: argparse.Namespace) -> str:
    parts = [Part(path, read_json(path)) for path in options.paths]
    merged = merge(parts, partial=options.partial)
    if options.output is not None:
        write_json(options.output, merged)
    return _summary(merged)


def _init(options: argparse.Namespace) -> str:
    written = write_new(options.folder, STARTER)
    return "".join(f"wrote {path}\n" for path in written) + NEXT


def _import(options: argparse.Namespace) -> str:
    imported = import_config(options.path, default_registry())
    folder = options.path.parent if options.output is None else options.output
    written = write_new(folder, imported.files)
    return "".join(f"{line}\n" for line in summary(imported, map(str, written)))


def _summary(view: View) -> str:
    return "".join(f"{line.text}\n" for line in summary_lines(view))


def _schema(options: argparse.Namespace) -> str:
    if options.kind == "variants":
        shown = variants_schema()
    else:
        registry = _registry(options)
        shown = eval_schema(
            registry.parameter_schemas("facts"),
            registry.parameter_schemas("form"),
            registry.parameter_schemas("limits"),
        )
    return f"{json.dumps(shown, indent=2)}\n"
