"""Strategies for what strangers write: eval files, variants files, answers.

Most of a generated file is as it should be, so that what is broken in it lies deep;
then its text may be damaged as a slip of the hand or a bad merge would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import yaml
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pytest_llm_diagnosis.checks import CheckType, default_registry
from pytest_llm_diagnosis.records import Answer, Context, Dimension, Json, ToolCall

Texts: TypeAlias = SearchStrategy[str]

TYPES = tuple(
    sorted(default_registry().types(), key=lambda check_type: check_type.name)
)

AWKWARD = (
    "",
    " ",
    "~",
    "{",
    "{x}",
    "{{",
    "${HOME}",
    "${NO_SUCH_NAME}",
    "${",
    "(a+)+$",
    "(",
    "[",
    "\\",
    "../../etc/passwd",
    "/etc/passwd",
    "a\0b",
    "docs/a.md",
    "docs/a.md#one",
    "docs/a.md#",
    "#",
    "rows.csv",
    "rows.jsonl",
    "schema.json",
    "loop.json",
    "no/such.json",
    "http://127.0.0.1:1/x",
    "http://[",
    "file:///etc/passwd",
    "$.a[",
    "$..*",
    "yes\n::error::x",
    "\u202e\u200b",
    "\x1b[31m",
    "9" * 5_000,
    "1e999",
    "x" * 3_000,
)
"""Texts that mean something somewhere, or nothing anywhere."""

JSON_TEXTS = (
    '{"a": 1}',
    '```json\n{"a": [1, 2]}\n```',
    "[" * 300 + "]" * 300,
    '{"a": 1e999999}',
    '{"a": ' + "7" * 5_000 + "}",
    '{"a": NaN}',
    '{"a": "\\ud800"}',
    '{"a": 1, "a": 2}',
)

CHARACTERS = st.characters(exclude_categories=())
"""Every code point, lone surrogates included."""

WORDS: Texts = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(max_size=12),
    st.sampled_from(("yes", "45 days", "Paris", "base", "model", "a b c")),
)
SCALARS: SearchStrategy[Json] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 100),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    WORDS,
)
VALUES: SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)
    ),
    max_leaves=8,
)
SCHEMA_WORDS = (
    "type properties required items enum const pattern minimum maxLength $ref $id "
    "$defs $schema $anchor $dynamicRef allOf anyOf not if then format uniqueItems "
    "additionalProperties patternProperties propertyNames multipleOf contains"
)
SCHEMAS: SearchStrategy[Json] = st.recursive(
    st.one_of(
        st.booleans(),
        st.sampled_from(("#", "#/$defs/a", "object", "string", "uri", "http://[/", 0)),
        st.fixed_dictionaries({"$ref": st.sampled_from(("#", "#/$defs/a", "a", "#a"))}),
        SCALARS,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(SCHEMA_WORDS.split()), inner, max_size=4),
    ),
    max_leaves=10,
)


@st.composite
def changed(draw: st.DrawFn, value: Json) -> Json:
    """Return the value with one part of it, at any depth, put in another's place."""
    if isinstance(value, Mapping) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        other = draw(st.one_of(st.just(key), WORDS))
        rest = {name: each for name, each in value.items() if name != key}
        return {**rest, other: draw(changed(value[key]))}
    if isinstance(value, list) and value and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], draw(changed(value[place])), *value[place + 1 :]]
    return draw(VALUES)


@st.composite
def params_of(draw: st.DrawFn, check_type: CheckType) -> Json:
    """Return parameters of a check: its example's, somewhat wrong ones, any."""
    if check_type.name == "json_schema" and draw(st.booleans()):
        return draw(SCHEMAS)
    example = check_type.example.params
    return draw(st.one_of(st.just(example), changed(example), VALUES))


@st.composite
def checks(draw: st.DrawFn, dimension: Dimension) -> Json:
    """Return one entry of `facts`, `form` or `limits`."""
    fitting = [one for one in TYPES if dimension in one.dimensions]
    pool = fitting if draw(st.integers(0, 9)) else TYPES
    check_type = draw(st.sampled_from(pool))
    if draw(st.integers(0, 9)) == 0:
        return draw(st.one_of(st.just(check_type.name), VALUES))
    entry: dict[str, Json] = {check_type.name: draw(params_of(check_type))}
    if draw(st.integers(0, 9)) == 0:
        entry["loose"] = draw(st.one_of(st.booleans(), VALUES))
    return entry


TURNS: SearchStrategy[Json] = st.one_of(
    st.just([{"role": "user", "content": "q"}]),
    st.lists(
        st.fixed_dictionaries(
            {"role": st.sampled_from(("user", "assistant", "system", "x"))},
            optional={"content": st.one_of(WORDS, VALUES), "tool_calls": VALUES},
        ),
        max_size=3,
    ).map(list),
)
EACH: SearchStrategy[Json] = st.one_of(
    st.sampled_from(("rows.csv", "rows.jsonl", "../rows.csv", "no.csv", "docs/a.md")),
    st.lists(st.dictionaries(WORDS, SCALARS, max_size=3), max_size=3).map(list),
    VALUES,
)
CASE_KEYS: Mapping[str, SearchStrategy[Json]] = {
    "id": st.one_of(WORDS, st.just("a-{x}"), VALUES),
    "mark": st.one_of(st.sampled_from(("knowledge", "behavior", "behaviour")), VALUES),
    "prompt": st.one_of(WORDS, st.just("{x}?"), VALUES),
    "messages": TURNS,
    "system": WORDS,
    "evidence": st.one_of(
        WORDS, st.just({"text": "a"}), st.lists(WORDS, max_size=2).map(list), VALUES
    ),
    "facts": st.lists(checks("facts"), max_size=3).map(list),
    "form": st.lists(checks("form"), max_size=3).map(list),
    "limits": st.one_of(st.lists(checks("limits"), max_size=2).map(list), VALUES),
    "instruction": WORDS,
    "ideal": st.one_of(
        WORDS,
        st.just({"tool_calls": [{"name": "f", "arguments": {"a": 1}}]}),
        st.sampled_from(JSON_TEXTS),
        VALUES,
    ),
    "cluster": WORDS,
    "tools": VALUES,
    "params": VALUES,
    "trials": st.one_of(st.integers(-1, 4), VALUES),
    "pass_at": st.one_of(st.integers(-1, 4), VALUES),
    "critical": st.one_of(st.booleans(), VALUES),
    "skip": st.one_of(st.booleans(), WORDS),
    "xfail": st.one_of(st.booleans(), WORDS),
    "each": EACH,
    "tags": st.one_of(st.lists(WORDS, max_size=2).map(list), VALUES),
}
LEAST: Mapping[str, Json] = {
    "id": "a",
    "mark": "knowledge",
    "prompt": "q",
    "facts": [{"contains": "yes"}],
}


@st.composite
def some_of(
    draw: st.DrawFn, keys: Mapping[str, SearchStrategy[Json]], most: int
) -> dict[str, Json]:
    """Return values for at most so many of the keys."""
    names = draw(st.lists(st.sampled_from(sorted(keys)), max_size=most, unique=True))
    return {name: draw(keys[name]) for name in names}


@st.composite
def case_entries(draw: st.DrawFn) -> Json:
    """Return a case: mostly whole, with some keys of every kind."""
    entry: dict[str, Json] = {**LEAST, "id": draw(st.sampled_from(("a", "b", "c-{x}")))}
    entry.update(draw(some_of(CASE_KEYS, 4)))
    if draw(st.integers(0, 9)) == 0:
        del entry[draw(st.sampled_from(sorted(entry)))]
    if draw(st.integers(0, 9)) == 0:
        entry[draw(WORDS)] = draw(VALUES)
    return entry


VARIANT_KEYS: Mapping[str, SearchStrategy[Json]] = {
    "extends": st.sampled_from(("base", "a", "b", "no")),
    "model": st.one_of(st.sampled_from(("openai/m", "m", "${MODEL}", "a/b/c")), WORDS),
    "api_base": st.one_of(st.sampled_from(("http://127.0.0.1:9/v1", "${U}")), WORDS),
    "api_key": WORDS,
    "params": VALUES,
    "system": WORDS,
    "examples": st.one_of(st.integers(-1, 3), WORDS),
    "retrieve": st.one_of(
        st.just({"documents": "docs/*.md", "top_k": 2}),
        st.fixed_dictionaries({"documents": st.one_of(WORDS, VALUES)}),
        VALUES,
    ),
    "context": st.one_of(
        st.sampled_from(("docs/**/*.md", "../**/*", "**", "docs/[", "/etc/*")), WORDS
    ),
    "call": st.one_of(st.sampled_from(("json:loads", "no.module:f", "json:no")), WORDS),
    "script": st.one_of(st.just("answers.yaml"), WORDS),
    "kind": st.one_of(st.sampled_from(("app", "weights")), WORDS),
    "revision": VALUES,
    "max_concurrency": st.one_of(st.integers(-1, 3), VALUES),
    "lane": st.one_of(st.sampled_from(("direct", "litellm")), VALUES),
}


@st.composite
def variant_entries(draw: st.DrawFn) -> Json:
    """Return a variant that asks something, or not."""
    asks = draw(
        st.sampled_from(
            (
                {"script": "answers.yaml"},
                {"model": "openai/m"},
                {"extends": "base"},
                {},
            )
        )
    )
    entry: dict[str, Json] = {**asks, **draw(some_of(VARIANT_KEYS, 4))}
    if draw(st.integers(0, 9)) == 0:
        entry[draw(WORDS)] = draw(VALUES)
    return entry


# -- text --------------------------------------------------------------------

SLIPS = (
    "",
    "\t",
    "- ",
    ": ",
    "'",
    '"',
    "{",
    "}",
    "[",
    "*a ",
    "&a ",
    "<<: *a\n",
    "!!python/object/apply:os.system ['true']\n",
    "!x ",
    "|\n",
    "---\n",
    "%YAML 9.9\n",
    "\0",
    "\x85",
    "\ufeff",
    "\U0010ffff",
    "? ",
    "[" * 70,
    '"\\U00110000"',
    "&a [*a]\n",
)


@st.composite
def slipped(draw: st.DrawFn, text: str) -> str:
    """Return the text with a piece of it lost or put in."""
    begin = draw(st.integers(0, len(text)))
    end = draw(st.integers(begin, min(len(text), begin + 8)))
    slip = draw(st.one_of(st.sampled_from(SLIPS), st.text(max_size=3)))
    return text[:begin] + slip + text[end:]


def written(value: Json) -> str:
    """Return a value as YAML."""
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False)


@st.composite
def eval_files(draw: st.DrawFn) -> str:
    """Return the text of an eval file, good or bad."""
    root: dict[str, Json] = {
        "cases": draw(st.lists(case_entries(), min_size=1, max_size=3).map(list))
    }
    if draw(st.integers(0, 4)) == 0:
        root["defaults"] = draw(st.one_of(some_of(CASE_KEYS, 3), VALUES))
    if draw(st.integers(0, 9)) == 0:
        root[draw(WORDS)] = draw(VALUES)
    text = written(draw(st.one_of(st.just(root), st.just(root), changed(root))))
    return draw(slipped(text)) if draw(st.integers(0, 3)) == 0 else text


@st.composite
def variants_files(draw: st.DrawFn) -> str:
    """Return the text of a variants file, good or bad."""
    names = st.one_of(st.sampled_from(("base", "a", "b")), WORDS)
    listed = draw(st.dictionaries(names, variant_entries(), max_size=3))
    root: dict[str, Json] = {"variants": {"base": {"script": "answers.yaml"}, **listed}}
    if draw(st.booleans()):
        root["default"] = draw(st.one_of(st.sampled_from(("base", "a,b")), VALUES))
    if draw(st.integers(0, 9)) == 0:
        root[draw(WORDS)] = draw(VALUES)
    text = written(draw(st.one_of(st.just(root), st.just(root), changed(root))))
    return draw(slipped(text)) if draw(st.integers(0, 3)) == 0 else text


# -- answers -----------------------------------------------------------------

SAID: Texts = st.one_of(
    st.text(CHARACTERS, max_size=60),
    st.sampled_from(JSON_TEXTS),
    VALUES.map(written),
    st.sampled_from([one.example.passing.text for one in TYPES]),
    st.sampled_from([one.example.failing.text for one in TYPES]),
    st.sampled_from(AWKWARD),
)
CALLS: SearchStrategy[ToolCall] = st.builds(
    ToolCall,
    name=st.one_of(WORDS, st.sampled_from(("f", "\ud800"))),
    arguments=st.one_of(st.dictionaries(WORDS, VALUES, max_size=3), SAID),
)
ANSWERS: SearchStrategy[Answer] = st.builds(
    Answer,
    text=st.one_of(SAID, st.lists(SAID, max_size=4).map(" ".join)),
    tool_calls=st.lists(CALLS, max_size=2).map(tuple),
    contexts=st.lists(st.builds(Context, text=SAID, source=WORDS), max_size=2).map(
        tuple
    ),
    seconds=st.one_of(st.none(), st.floats(0, 1e9)),
    usd=st.one_of(st.none(), st.floats(0, 1e9)),
    finish_reason=st.one_of(st.none(), WORDS),
)
