"""The check on one value inside a JSON answer: json_value.

Under `form` the whole answer must be JSON and the value must stand at its path
with its type.  Under `facts` it also counts when the JSON stands in a fence, in
prose or in a tool call's arguments, when its last key stands elsewhere, and,
where there is no JSON at all, when the text says it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, JsonObject, Verdict

from . import parameters as read
from .agreement import agrees, as_text, told_in
from .json_checks import BARE, stated_json
from .json_path import Step, at_path, parse_path, under_key
from .json_text import JSON_CODES, NotJsonError, is_json, leaves
from .normalise import exact, fold
from .patterns import SECONDS, Compile, compile_pattern
from .protocol import BoundCheck, CheckType, Example
from .showing import LISTED, shown, shown_answer, shown_json

if TYPE_CHECKING:
    from regex import Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonValue(BoundCheck):
    """The value at a path is as expected; without an expectation, it is there.

    `wanted` holds the values of which it must be one, None if any will do.
    """

    needs_form: ClassVar[bool] = True

    path: str
    steps: tuple[Step, ...]
    wanted: tuple[Json, ...] | None
    contains: str | None
    pattern: Pattern[str] | None

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `json_value:missing` or `json_value:other`.

        Under `form` also with a code of `json`.  A pattern out of time is
        undecided, `json_value:timeout`.
        """
        try:
            return self._graded(answer)
        except TimeoutError:
            reason = f"the pattern took over {SECONDS:g} s to search"
            return self.undecided("json_value:timeout", reason)

    def describe(self) -> str:
        """Ask for the value when it is form."""
        if self.seeks_facts:
            return ""
        return f"{BARE} At {self.path} it must have {self._expected()}."

    def gold(self) -> tuple[str, ...]:
        """Return the texts and numbers; `true` in an example gives nothing away."""
        told = (leaf.value for value in self.wanted or () for leaf in leaves(value))
        texts = (as_text(each) for each in told if not isinstance(each, bool | None))
        contained = (self.contains,) if self.contains else ()
        return (*filter(None, texts), *contained) if self.seeks_facts else ()

    def _graded(self, answer: Answer) -> Verdict:
        try:
            values = stated_json(answer, anywhere=self.seeks_facts)
        except NotJsonError as error:
            return self._without_json(answer, error)
        found = [each for value in values for each in self._reached(value)]
        if any(map(self._accepts, found)):
            return self.passed()
        expected = f"expected {self._expected()} at {self.path}"
        if not found and self._told_beside(answer.text):
            return self.passed()
        if not found:
            reason = f"{expected}, found nothing there in {shown_answer(answer)}"
            return self.failed("json_value:missing", reason)
        listed = ", ".join(map(shown_json, found[:LISTED]))
        return self.failed("json_value:other", f"{expected}, found {listed}")

    def _without_json(self, answer: Answer, error: NotJsonError) -> Verdict:
        if not self.seeks_facts:
            return self.failed(error.code, f"{error.reason}: {shown_answer(answer)}")
        if self._told(answer.text):
            return self.passed()
        expected = f"expected {self._expected()} at {self.path}"
        reason = f"{expected}, found no JSON that says so in {shown_answer(answer)}"
        return self.failed("json_value:missing", reason)

    def _told_beside(self, text: str) -> bool:
        """Whether text around JSON that lacks the value, or cut-off JSON, says it."""
        return self.seeks_facts and not is_json(text) and self._told(text)

    def _reached(self, value: Json) -> Sequence[Json]:
        reached = at_path(value, self.steps)
        if reached or not self.seeks_facts or not self._key:
            return reached
        return under_key(value, self._key)

    def _told(self, text: str) -> bool:
        """Return whether a text without JSON says what was expected."""
        if self.wanted is not None:
            return any(told_in(each, text, self._key) for each in self.wanted)
        return (self.contains or self.pattern) is not None and self._accepts(text)

    def _accepts(self, value: Json) -> bool:
        return all(held(value) for held in self._rules())

    def _rules(self) -> Iterator[Callable[[Json], bool]]:
        if self.wanted is not None:
            yield self._is_wanted
        if self.contains is not None:
            yield self._holds
        if self.pattern is not None:
            yield self._matches

    def _is_wanted(self, value: Json) -> bool:
        wanted = self.wanted or ()
        return any(agrees(each, value, as_fact=self.seeks_facts) for each in wanted)

    def _holds(self, value: Json) -> bool:
        shape = fold if self.seeks_facts else exact
        return shape(self.contains or "") in shape(as_text(value))

    def _matches(self, value: Json) -> bool:
        pattern = self.pattern
        return pattern is not None and bool(
            pattern.search(as_text(value), timeout=SECONDS)
        )

    @property
    def _key(self) -> str:
        last = self.steps[-1] if self.steps else None
        return last if isinstance(last, str) else ""

    def _expected(self) -> str:
        parts = [
            " or ".join(map(shown_json, self.wanted or ())),
            f"{shown(self.contains)} in it" if self.contains else "",
            f"a match of {shown(self.pattern.pattern)}" if self.pattern else "",
        ]
        return " and ".join(filter(None, parts)) or "a value"


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = "A value inside a JSON answer, found by its path, is as expected."
    keys: dict[str, Json] = {
        "path": read.described(
            read.TEXT, "Where it is: $.a.b[0], $['a b'], $.list[*]."
        ),
        "equals": {"description": "The value itself."},
        "one_of": {
            "description": "Values of which it must be one.",
            "type": "array",
            "minItems": 1,
        },
        "contains": read.described(read.TEXT, "Text that the value must hold."),
        "matches": read.described(
            read.TEXT, "A regular expression that must be found in the value."
        ),
    }
    compiled = functools.lru_cache(maxsize=None)(compile_pattern)
    paths = functools.lru_cache(maxsize=None)(parse_path)
    return (
        CheckType(
            name="json_value",
            summary=summary,
            parameters=read.options(summary, keys, ["path"]),
            bind=functools.partial(_bind, compiled, paths),
            example=Example(
                params={"path": "$.urgent", "equals": True},
                passing=Answer(text='Here it is:\n```json\n{"urgent": true}\n```'),
                failing=Answer(text='{"urgent": false}'),
                code="json_value:other",
            ),
            codes=(
                *("json_value:missing", "json_value:other", "json_value:timeout"),
                *JSON_CODES,
            ),
        ),
    )


def _bind(
    compiled: Compile, paths: Callable[[str], tuple[Step, ...]], spec: CheckSpec
) -> JsonValue:
    params = read.mapping(spec, "path")
    path = read.text(spec, params.get("path"), "path")
    contains = params.get("contains")
    try:
        steps = paths(path)
    except ValueError as error:
        raise read.wrong(spec, str(error), "like $.a.b[0]") from None
    return JsonValue(
        spec=spec,
        path=path,
        steps=steps,
        wanted=_wanted(spec, params),
        contains=None if contains is None else read.text(spec, contains, "contains"),
        pattern=_pattern(spec, params.get("matches"), compiled),
    )


def _wanted(spec: CheckSpec, params: JsonObject) -> tuple[Json, ...] | None:
    if "equals" in params and "one_of" in params:
        raise read.wrong(spec, "takes equals or one_of, not both")
    if "equals" in params:
        return (params["equals"],)
    listed = params.get("one_of")
    if listed is None:
        return None
    if isinstance(listed, str) or not isinstance(listed, Sequence) or not listed:
        raise read.wrong(spec, f"one_of must be a list of values, not {listed!r}")
    return tuple(listed)


def _pattern(spec: CheckSpec, written: Json, compiled: Compile) -> Pattern[str] | None:
    if written is None:
        return None
    pattern = read.text(spec, written, "matches")
    ready = compiled(pattern, False)
    if isinstance(ready, str):
        raise read.wrong(spec, f"broken regular expression {shown(pattern)}: {ready}")
    return ready
