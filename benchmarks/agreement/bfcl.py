"""BFCL: tool_calls against possible answers, and against spoilt ones.

Every possible answer of the simple, multiple, parallel and parallel_multiple
questions must pass, reordered parallel calls too.  Each kind of damage must
fail with its code, and so must any call where no tool is relevant.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from pytest_llm_diagnosis.checks.expected_calls import is_of_type
from pytest_llm_diagnosis.records import Answer, Json, JsonObject, ToolCall

from .halves import json_lines
from .suites import Suite, form_suite

NAME = "bfcl"
CATEGORIES = ("simple_python", "multiple", "parallel", "parallel_multiple")
MOST = 500
"""Possible answers tried of one question; where there are more, each value once."""

# The types of BFCL's tool definitions, as JSON Schema calls them.
_TYPES = {
    "string": "string", "integer": "integer", "float": "number",
    "boolean": "boolean", "array": "array", "tuple": "array", "dict": "object",
}  # fmt: skip
_OTHER_TYPE: Mapping[str, Json] = {
    "string": 17, "integer": "seventeen", "number": "seventeen",
    "boolean": "perhaps", "array": "seventeen", "object": "seventeen",
}  # fmt: skip
_DAMAGE: Mapping[str, frozenset[str | None]] = {
    "reordered": frozenset({None}),
    "wrong name": frozenset({"tool:wrong_name"}),
    "missing required": frozenset({"tool:missing_argument"}),
    "extra argument": frozenset({"tool:unexpected_argument"}),
    "wrong type": frozenset({"tool:wrong_type"}),
    "wrong value": frozenset({"tool:wrong_value"}),
    "missing call": frozenset({"tool:missing_call", "tool:none"}),
    "doubled call": frozenset({"tool:repeated_call"}),
}

Calls = tuple[ToolCall, ...]


class Call(NamedTuple):
    """A possible call: its name, the right values of its arguments, their types."""

    name: str
    values: Mapping[str, Sequence[Json]]
    optional: frozenset[str]
    types: Mapping[str, str]

    def written(self) -> JsonObject:
        """Return the call as a case states it."""
        return {
            "name": self.name,
            "allowed": dict(self.values),
            "types": dict(self.types),
            "optional": sorted(self.optional),
        }


def run(data: Path) -> Iterator[str]:
    """Yield the agreement by category and by damage, then every disagreement."""
    disagreements: list[str] = []
    for category in CATEGORIES:
        questions = _questions(data / "bfcl", category)
        suite = form_suite({name: _form(calls) for name, calls in questions.items()})
        tally, capped = _category(questions, suite, disagreements)
        for kind, total in tally.items():
            agreed = total - sum(
                1 for line in disagreements if line.startswith(f"{category} {kind}:")
            )
            yield f"{category:<20} {kind:<18} {agreed}/{total}"
        if capped:
            told = f"{capped} questions have over {MOST} possible answers: each value"
            yield f"{category:<20} {told} was tried once"
    yield from _irrelevance(data / "bfcl", disagreements)
    yield from disagreements


def _category(
    questions: Mapping[str, Sequence[Call]],
    suite: Suite,
    disagreements: list[str],
) -> tuple[Mapping[str, int], int]:
    tally: Counter[str] = Counter()
    capped = 0
    for name, calls in questions.items():
        answers = _answers(calls)
        capped += answers is None
        tries = [("possible answer", each) for each in answers or _each_once(calls)]
        tries += _damaged(calls, tries[0][1])
        for kind, made in tries:
            tally[kind] += 1
            code = _code(suite, name, made)
            if code not in _DAMAGE.get(kind, frozenset({None})):
                line = f"{name.rpartition('_')[0]} {kind}: {name} got {code}: {made}"
                disagreements.append(line)
    return tally, capped


def _code(suite: Suite, name: str, made: Calls) -> str | None:
    (verdict,) = suite.grade(name, Answer(tool_calls=made)).form
    return verdict.code


def _irrelevance(folder: Path, disagreements: list[str]) -> Iterator[str]:
    given = json_lines(folder / "BFCL_v4_irrelevance.json")
    names = [str(row["id"]) for row in given]
    suite = form_suite({name: [{"tool_calls": []}] for name in names})
    agreed = total = 0
    for row in given:
        name = str(row["id"])
        offered = cast("Sequence[JsonObject]", row["function"])
        made = ((), *((ToolCall(name=str(f["name"]), arguments={}),) for f in offered))
        for calls in made:
            code = _code(suite, name, calls)
            right = code == ("tool:unexpected_call" if calls else None)
            total, agreed = total + 1, agreed + right
            if not right:
                disagreements.append(f"irrelevance: {name} got {code}: {calls}")
    yield f"{'irrelevance':<20} {'any call, or none':<18} {agreed}/{total}"


def _questions(folder: Path, category: str) -> Mapping[str, Sequence[Call]]:
    asked = {
        str(row["id"]): row for row in json_lines(folder / f"BFCL_v4_{category}.json")
    }
    answered = json_lines(folder / f"answers_{category}.json")
    return {
        str(row["id"]): [
            _call(name, cast("JsonObject", values), asked[str(row["id"])])
            for call in cast("Sequence[JsonObject]", row["ground_truth"])
            for name, values in call.items()
        ]
        for row in answered
    }


def _call(name: str, stated: JsonObject, question: JsonObject) -> Call:
    offered = cast("Sequence[JsonObject]", question["function"])
    tool = next(tool for tool in offered if tool["name"] == name)
    properties = cast(
        "JsonObject", cast("JsonObject", tool["parameters"])["properties"]
    )
    values: dict[str, Sequence[Json]] = {}
    optional: set[str] = set()
    types: dict[str, str] = {}
    for key, listed in stated.items():
        options = cast("Sequence[Json]", listed)
        right = [each for one in options if one != "" for each in _plain(one)]
        if not right:
            # It may only be left out, as any argument that is not named.
            continue
        values[key] = right
        # "" says that the argument may be left out.
        if "" in options:
            optional.add(key)
        kind = str(cast("JsonObject", properties.get(key, {})).get("type"))
        # Where its possible answers are of another type, BFCL goes by them.
        if kind in _TYPES and all(is_of_type(each, _TYPES[kind]) for each in right):
            types[key] = _TYPES[kind]
    return Call(name, values, frozenset(optional), types)


def _plain(option: Json) -> Sequence[Json]:
    """Return the values that one option stands for: an object lists its own."""
    if isinstance(option, Mapping):
        keys = [
            [
                (key, value)
                for one in cast("Sequence[Json]", listed)
                for value in ([""] if one == "" else _plain(one))
            ]
            for key, listed in option.items()
        ]
        return [
            {key: value for key, value in pairs if value != ""}
            for pairs in itertools.product(*keys)
        ]
    if isinstance(option, list) and any(isinstance(each, Mapping) for each in option):
        return [list(each) for each in itertools.product(*map(_plain, option))]
    return [option]


def _form(calls: Sequence[Call]) -> Sequence[Json]:
    return [{"tool_calls": [call.written() for call in calls]}]


def _answers(calls: Sequence[Call]) -> Sequence[Calls] | None:
    """Return every possible answer; None when there are too many."""
    by_call = []
    size = 1
    for call in calls:
        size *= _size(call)
        if size > MOST:
            return None
        by_call.append(
            [ToolCall(name=call.name, arguments=given) for given in _given(call)]
        )
    return list(itertools.product(*by_call))


def _size(call: Call) -> int:
    size = 1
    for key, values in call.values.items():
        size *= len(values) + (key in call.optional)
    return size


def _given(call: Call) -> Iterator[JsonObject]:
    keys = [
        [{key: value} for value in values] + [{}] * (key in call.optional)
        for key, values in call.values.items()
    ]
    for parts in itertools.product(*keys):
        yield {key: value for part in parts for key, value in part.items()}


def _each_once(calls: Sequence[Call]) -> Sequence[Calls]:
    """Return answers that give each right value of each argument once."""
    first = tuple(ToolCall(name=c.name, arguments=_first(c)) for c in calls)
    made = [first]
    for index, call in enumerate(calls):
        for key, values in call.values.items():
            for value in values:
                given = {**_first(call), key: value}
                other = ToolCall(name=call.name, arguments=given)
                made.append((*first[:index], other, *first[index + 1 :]))
    return made


def _first(call: Call) -> JsonObject:
    return {key: values[0] for key, values in call.values.items()}


def _damaged(calls: Sequence[Call], right: Calls) -> Iterator[tuple[str, Calls]]:
    """Yield a right answer with its first call, or its order, spoilt."""
    call, made = calls[0], right[0]
    given = cast("JsonObject", made.arguments)

    def with_(arguments: JsonObject, name: str = made.name) -> Calls:
        return (ToolCall(name=name, arguments=arguments), *right[1:])

    if len(right) > 1:
        yield "reordered", right[::-1]
    yield "wrong name", with_(given, f"{made.name}_v2")
    yield "extra argument", with_({**given, "colour_of_boots": "red"})
    yield "missing call", right[1:]
    yield "doubled call", (made, *right)
    required = [key for key in given if key not in call.optional]
    if required:
        yield (
            "missing required",
            with_({k: given[k] for k in given if k != required[0]}),
        )
    key = next((each for each in given if each in call.types), None)
    if key is not None:
        kind = call.types[key]
        yield "wrong type", with_({**given, key: _OTHER_TYPE[kind]})
        if kind != "boolean" or len(call.values[key]) == 1:
            yield "wrong value", with_({**given, key: _other_value(given[key])})


def _other_value(value: Json) -> Json:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 7919
    if isinstance(value, str):
        return f"{value} of the boots"
    if isinstance(value, Mapping):
        return {**value, "colour_of_boots": "red"}
    return [*cast("Sequence[Json]", value), *cast("Sequence[Json]", value), "boots"]
