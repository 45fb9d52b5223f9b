"""Checks on JSON answers: json and json_schema.

Under `form` the whole answer must be JSON.  Under `facts` JSON counts wherever
it stands: in a code fence, in prose, in the arguments of a tool call.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pytest_llm_diagnosis.errors import valid_choices
from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .json_text import JSON_CODES, NotJsonError, decode, json_values, read_json
from .protocol import BoundCheck, CheckType, Example
from .showing import shown, shown_answer

if TYPE_CHECKING:
    from .json_schema import CompiledSchema

_LISTED = 20

_SCHEMA_CODES = [
    "missing_required",
    "unexpected_property",
    "wrong_type",
    "wrong_value",
    "wrong_pattern",
    "wrong_format",
    "wrong_length",
    "wrong_count",
    "wrong_items",
    "out_of_range",
    "no_match",
    "too_large",
    "timeout",
    "endless",
]

BARE = "Answer with one JSON value and nothing else: no code fence, no words around it."


def stated_json(answer: Answer, *, anywhere: bool) -> tuple[Json, ...]:
    """Return the JSON of an answer: all of its text, or any JSON `anywhere` in it.

    Raises `NotJsonError` when there is none.
    """
    if not anywhere:
        return (read_json(answer.text),)
    called = (call.arguments for call in answer.tool_calls)
    arguments = tuple(each for each in called if not isinstance(each, str))
    return (*json_values(answer.text), *arguments) or (read_json(answer.text),)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsJson(BoundCheck):
    """The answer is one JSON value."""

    needs_form: ClassVar[bool] = True

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `json:` and empty, fenced, prose_around or invalid."""
        try:
            stated_json(answer, anywhere=self.seeks_facts)
        except NotJsonError as error:
            return self.failed(error.code, f"{error.reason}: {shown_answer(answer)}")
        return self.passed()

    def describe(self) -> str:
        """Ask for bare JSON."""
        return BARE


@dataclass(frozen=True, slots=True, kw_only=True)
class FitsSchema(BoundCheck):
    """The answer is JSON that fits a JSON Schema."""

    needs_form: ClassVar[bool] = True

    schema: CompiledSchema

    def grade(self, answer: Answer) -> Verdict:
        """Fail with a code of `json` or with `schema:` and what is wrong.

        Those are missing_required, unexpected_property, wrong_type, wrong_value,
        wrong_pattern, wrong_format, wrong_length, wrong_count, wrong_items,
        out_of_range and no_match.  Undecided are `schema:too_large`,
        `schema:timeout` and `schema:endless`.
        """
        try:
            values = stated_json(answer, anywhere=self.seeks_facts)
        except NotJsonError as error:
            return self.failed(error.code, f"{error.reason}: {shown_answer(answer)}")
        return self._judged(values)

    def describe(self) -> str:
        """Show the schema when it is form."""
        if self.seeks_facts:
            return ""
        schema = json.dumps(self.schema.schema, ensure_ascii=False)
        return f"{BARE} It must fit this JSON Schema: {schema}"

    def _judged(self, values: tuple[Json, ...]) -> Verdict:
        from .json_formats import TooLargeError

        try:
            misfits = [self.schema.misfit(value) for value in values]
        except TooLargeError as error:
            return self.undecided("schema:too_large", str(error))
        except TimeoutError:
            return self.undecided("schema:timeout", "a pattern took too long to search")
        except RecursionError:
            return self.undecided("schema:endless", "the schema refers to itself")
        if not all(misfits):
            return self.passed()
        first = next(misfit for misfit in misfits if misfit)
        return self.failed(f"schema:{first.code}", first.reason)


class SchemaShelf:
    """The schemas of a registry: each is read and compiled once.

    What is wrong with one is kept too, so that ten thousand cases with the same
    broken file read it once.
    """

    def __init__(self) -> None:
        self._in_file = functools.lru_cache(maxsize=None)(_from_file)
        self._inline = functools.lru_cache(maxsize=None)(_from_text)

    def bind(self, spec: CheckSpec) -> FitsSchema:
        """Return the check.  Raises `InputError` that names a file in fault."""
        params = spec.params
        if isinstance(params, str) and params:
            found = self._in_file(spec.folder, spec.root, params)
        elif isinstance(params, Mapping):
            found = self._inline(json.dumps(params, sort_keys=True))
        else:
            raise read.wrong(spec, f"needs a file or a schema, not {params!r}")
        if isinstance(found, Flaw):
            raise read.wrong(spec, found.finding, found.hint)
        return FitsSchema(spec=spec, schema=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Why a schema cannot be used."""

    finding: str
    hint: str = ""


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module; they share one shelf of schemas."""
    fitting, good = "It fits.", Answer(text='{"urgent": true}')
    json_summary = "The answer is one JSON value (RFC 8259) and nothing else."
    schema_summary = (
        "The answer is JSON that fits a JSON Schema: a local file or inline."
    )
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {"urgent": {"type": "boolean"}},
        "required": ["urgent"],
    }
    return (
        CheckType(
            name="json",
            summary=json_summary,
            parameters={"description": json_summary, "type": "null"},
            bind=lambda spec: IsJson(spec=spec),
            example=Example(
                params=None,
                passing=good,
                failing=Answer(text=f"{fitting} {good.text}"),
                code="json:prose_around",
            ),
            dimensions=("form", "facts"),
            codes=JSON_CODES,
        ),
        CheckType(
            name="json_schema",
            summary=schema_summary,
            parameters={
                "description": schema_summary,
                "anyOf": [
                    read.described(read.TEXT, "A JSON file beside the eval file."),
                    {"description": "The schema itself.", "type": "object"},
                ],
            },
            bind=SchemaShelf().bind,
            example=Example(
                params=schema,
                passing=good,
                failing=Answer(text='{"urgent": "yes"}'),
                code="schema:wrong_type",
            ),
            dimensions=("form", "facts"),
            codes=(*(f"schema:{code}" for code in _SCHEMA_CODES), *JSON_CODES),
        ),
    )


def _from_text(text: str) -> CompiledSchema | Flaw:
    return _compiled(json.loads(text), "")


def _from_file(folder: Path, root: Path, written: str) -> CompiledSchema | Flaw:
    try:
        path = (folder / written).resolve()
        if not path.is_relative_to(root.resolve()) or Path(written).is_absolute():
            return Flaw(finding=f"file {written} lies outside {root}")
        if not path.is_file():
            return _missing(path, written)
        return _compiled(decode(path.read_text("utf-8-sig")), f"{written}: ")
    except json.JSONDecodeError as error:
        return Flaw(finding=f"{written}:{error.lineno}: not JSON: {error.msg}")
    # A loop of symlinks is a RuntimeError up to Python 3.12, an OSError after.
    except (OSError, RuntimeError, ValueError) as error:
        return Flaw(finding=f"{shown(written)} cannot be read: {error}")


def _missing(path: Path, written: str) -> Flaw:
    near = sorted(each.name for each in path.parent.glob("*.json"))[:_LISTED]
    hint = valid_choices(path.name, near, "JSON files there")
    return Flaw(finding=f"no such file {written}", hint=hint)


def _compiled(schema: Json, place: str) -> CompiledSchema | Flaw:
    from .json_schema import BrokenSchemaError, CompiledSchema

    try:
        return CompiledSchema(schema)
    except BrokenSchemaError as error:
        return Flaw(finding=f"{place}broken JSON Schema: {error}")
