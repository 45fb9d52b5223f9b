"""Write the reference pages that the code itself knows: `make docs`.

`options.md`, `command_line.md`, `files.md`, `hooks.md` and `report_format.md` come from
the options, the command's parser, the JSON Schemas, the hook specifications and the
records; `checks.md` from the registry of checks.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from pytest_llm_diagnosis import cli, hookspecs
from pytest_llm_diagnosis.checks import default_registry
from pytest_llm_diagnosis.checks.reference import reference
from pytest_llm_diagnosis.diagnosis import (
    Confirmation,
    Confound,
    Diagnosis,
    Flip,
    SuiteVerdict,
    VariantDiagnosis,
)
from pytest_llm_diagnosis.diagnosis.counted import Costumes, FailedPart, Rate, Spotted
from pytest_llm_diagnosis.plugin import OPTIONS
from pytest_llm_diagnosis.records import (
    DIMENSIONS,
    Answer,
    Ask,
    CaseResult,
    Context,
    Finding,
    Json,
    JsonObject,
    RunFacts,
    Tokens,
    Verdict,
)
from pytest_llm_diagnosis.schema import eval_schema, variants_schema

HERE = Path(__file__).parent
_MADE = "<!-- Made by docs/generate.py; `make docs` writes it anew. -->"
_OPTIONS = """\
Each option of pytest has an ini twin: `--llm-max-calls=100` is `llm_max_calls = 100`
in pytest's configuration. The command line wins."""
_COMMANDS = """\
It reads saved reports and writes new suites, and never calls a model. Status 1 says
that a gate does not hold, a file is wrong or a run got worse; 2 that the command is."""
_REPORT = """\
`--llm-report=report.json` writes one JSON object with `schema` (1), `run`, `cases` (one
a line), `variants`, `flips`, `confounds`, `confirmations`, and `baseline` where there
was one. It is ASCII: everything else is escaped. What is not known is null, never 0.
New keys may be added; readers ignore those that they do not know.

`llm-diagnosis report` reads it again. Each `verdict` also has the `text` and the `next`
that the terminal prints."""


def options() -> str:
    """Return the page of pytest's options, in the order of `pytest --help`."""
    rows = []
    for option in OPTIONS:
        value = "|".join(option.choices or ()) or option.metavar
        name = f"{option.name}={value}" if value else option.name
        told = f"{option.help} May be repeated." if option.repeatable else option.help
        default = _code(option.default) if option.default else ""
        rows.append((_code(name), _code(option.twin), default, _cell(told)))
    return _page(
        "# Options",
        _OPTIONS,
        _table(("option", "ini", "default", "what it does"), rows),
    )


def command_line() -> str:
    """Return the page of `llm-diagnosis`: each command and what it takes."""
    parser = cli._parser()  # noqa: SLF001 - the one place that documents it
    commands = next(
        action
        for action in parser._actions  # noqa: SLF001 - argparse has no other way
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 - the same
    )
    parts = ["# The command llm-diagnosis", _COMMANDS]
    told = {choice.dest: choice.help for choice in commands._choices_actions}  # noqa: SLF001
    for name, command in commands.choices.items():
        parts += [f"## {name}", f"{_sentence(told.get(name) or '')}"]
        rows = list(_arguments(command))
        parts += [_table(("argument", "what it is"), rows)] if rows else []
    return _page(*parts)


def _arguments(command: argparse.ArgumentParser) -> Iterator[tuple[str, ...]]:
    for action in command._actions:  # noqa: SLF001 - argparse has no other way
        if action.dest == "help":
            continue
        value = action.metavar or "|".join(map(str, action.choices or ()))
        shown = str(value or action.dest.upper())
        if action.option_strings:
            names = ", ".join(action.option_strings)
            name = names if action.nargs == 0 else f"{names} {shown}"
        else:
            name = f"{shown} ..." if action.nargs == "+" else shown
        yield _code(name), _cell(action.help or "")


def files() -> str:
    """Return the page of both files' keys, from their JSON Schemas."""
    registry = default_registry()
    schemas = (registry.parameter_schemas(one) for one in DIMENSIONS)
    cases = cast(
        "JsonObject", cast("JsonObject", eval_schema(*schemas)["$defs"])["case"]
    )
    whole = variants_schema()
    variants = cast("JsonObject", whole["properties"])
    variant = cast("JsonObject", cast("JsonObject", variants["variants"])[_ANY])
    return _page(
        "# The files",
        "For editors, `llm-diagnosis schema eval` and `llm-diagnosis schema variants`"
        " print\nthese as JSON Schemas.",
        "## `*.eval.yaml`",
        "`cases:` is a list of cases; `defaults:` may hold any key of a case and holds"
        " for all of\nthem.",
        _table(("key", "what it is"), _keys(cases)),
        "Under `facts`, `form` and `limits` stand [checks](checks.md).",
        "## `llm_variants.yaml`",
        "Found from the eval file's folder upwards. `${NAME}` is filled from the"
        " environment.",
        _table(("key", "what it is"), _keys(whole)),
        "### A variant",
        _table(("key", "what it is"), _keys(variant)),
    )


_ANY = "additionalProperties"
_DEEPEST = 3


def _keys(
    schema: Mapping[str, Json], above: str = "", depth: int = 0
) -> Iterator[tuple[str, str]]:
    properties = cast("dict[str, JsonObject]", schema.get("properties", {}))
    for name, value in properties.items():
        yield _code(f"{above}{name}"), _described(value)
        if depth < _DEEPEST and above + name != "variants":
            yield from _keys(value, f"{above}{name}.", depth + 1)


def _described(value: Mapping[str, Json]) -> str:
    parts = [str(value.get("description", ""))]
    if "enum" in value:
        choices = cast("list[Json]", value["enum"])
        parts.append(" or ".join(_code(str(choice)) for choice in choices))
    if "default" in value:
        parts.append(f"default {_code(json.dumps(value['default']))}")
    return _cell("; ".join(filter(None, parts)))


def hooks() -> str:
    """Return the page of the hooks, from their specifications."""
    parts = ["# Hooks", inspect.getdoc(hookspecs) or ""]
    for name, hook in vars(hookspecs).items():
        if name.startswith("pytest_llm_"):
            given = ", ".join(inspect.signature(hook).parameters)
            parts += [f"## {name}", f"```python\ndef {name}({given}): ...\n```"]
            parts.append(inspect.getdoc(hook) or "")
    return _page(*parts)


_RECORDS: Mapping[str, type] = {
    "run": RunFacts,
    "cases[]": CaseResult,
    "cases[], where its failure was probed": Finding,
    "cases[].arms.ARM[]": Ask,
    "cases[].trials[]": Answer,
    "cases[].trials[].contexts[]": Context,
    "cases[].trials[].tokens": Tokens,
    "cases[].trials[].facts[], form[], limits[]": Verdict,
    "the diagnosis, at the top level": Diagnosis,
    "variants[]": VariantDiagnosis,
    "variants[].rates.MARK, shares.MARK": Rate,
    "variants[].verdict": SuiteVerdict,
    "variants[].failed_part": FailedPart,
    "variants[].costumes": Costumes,
    "variants[].doubtful_marks[], suspects[]": Spotted,
    "flips[]": Flip,
    "confounds[]": Confound,
    "confirmations[]": Confirmation,
}


def report_format() -> str:
    """Return the page of `report.json`, from the records that it holds."""
    parts = ["# The report", _REPORT]
    for where, record in _RECORDS.items():
        rows = [
            (_code(one.name.rstrip("_")), _code(str(one.type)))
            for one in dataclasses.fields(record)
        ]
        parts += [f"## {where}", inspect.getdoc(record) or ""]
        parts.append(_table(("key", "type"), rows))
    return _page(*parts)


def checks() -> str:
    """Return the page of the checks."""
    return reference(default_registry())


PAGES: Mapping[str, Callable[[], str]] = {
    "options.md": options,
    "command_line.md": command_line,
    "files.md": files,
    "hooks.md": hooks,
    "report_format.md": report_format,
    "checks.md": checks,
}


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([title, _MADE, *parts]) + "\n"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


if __name__ == "__main__":
    for page, made in PAGES.items():
        (HERE / page).write_text(made(), encoding="utf-8", newline="\n")
