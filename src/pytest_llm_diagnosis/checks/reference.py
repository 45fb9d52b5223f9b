"""The reference page of all checks, as Markdown, from their registry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from pytest_llm_diagnosis.records import Answer, Json, JsonObject

from .protocol import CheckType
from .registry import Registry

_INTRO = """\
# Checks

<!-- Made by `llm-diagnosis checks`; `make docs` writes it anew. -->

A check is one rule on an answer. Under `facts` it looks for **what** is said, in
any form; under `form` at **how** it is said; under `limits` at what it took.

```yaml
cases:
  - id: torn-boots
    mark: behavior
    prompt: "Log this: my boots arrived torn."
    facts:
      - contains: torn
    form:
      - json
      - max_words: 40
```

A failed check has a code, such as `json:fenced`. Codes of wrapping (`fenced`,
`prose_around`, `written`) mean that the content is right and the instruction was
not followed; codes such as `invalid`, `missing` and `wrong_value` are about the
content itself. A check that cannot decide (`timeout`, `too_large`, `unknown`)
leaves its case ungraded, and so does one that raises (`check:raised`).

Any check under `form` can be read loosely: it then also passes when it holds
for the answer without its first line, its last line or both, or without stars.

```yaml
    form:
      - json
      - max_words: 40
        loose: true
```

`language` and `parses_as: sql` need extras:
`pip install "pytest-llm-diagnosis[language,sql]"`.
"""

_KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
    "null": "nothing",
}
_PLAIN = re.compile(r"[A-Za-z_][\w -]*[\w]|[A-Za-z]")
# What YAML would not read as text, or not as the key it looks like.
_RESERVED = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def reference(registry: Registry) -> str:
    """Return the page: an introduction, a list, and a section for each check."""
    types = registry.types()
    listed = "\n".join(
        f"| [`{each.name}`](#{each.name}) | {' '.join(each.dimensions)} "
        f"| {_cell(each.summary)} |"
        for each in types
    )
    table = f"| check | under | holds when |\n|---|---|---|\n{listed}\n"
    sections = ("\n".join(_section(each)) for each in types)
    return "\n".join([_INTRO, table, *sections])


def yaml_text(value: Json) -> str:
    """Return a JSON value as YAML on one line, keys and plain words unquoted."""
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
        return value if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        inner = (f"{yaml_text(key)}: {yaml_text(each)}" for key, each in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(yaml_text, value))}]"
    return json.dumps(value)


def example_lines(check_type: CheckType) -> Iterator[str]:
    """Yield the example's check as an eval file states it."""
    params = check_type.example.params
    dimension = check_type.dimensions[0]
    stated = check_type.name if params is None else (
        f"{check_type.name}: {yaml_text(params)}"
    )  # fmt: skip
    yield f"{dimension}:"
    yield f"  - {stated}"


def _section(check_type: CheckType) -> Iterator[str]:
    example = check_type.example
    yield f"## {check_type.name}\n"
    yield f"{check_type.summary}\n"
    yield f"Under: {', '.join(f'`{each}`' for each in check_type.dimensions)}\n"
    yield f"Takes: {' or '.join(_alternatives(check_type.parameters))}\n"
    if keys := list(_keys(check_type.parameters)):
        yield "| key | value | meaning |\n|---|---|---|"
        yield "\n".join(keys) + "\n"
    yield f"Codes: {', '.join(f'`{code}`' for code in check_type.codes)}\n"
    yield "```yaml"
    yield from example_lines(check_type)
    yield "```\n"
    yield f"- passes: {_shown(example.passing)}"
    yield f"- fails with `{example.code}`: {_shown(example.failing)}\n"


def _alternatives(schema: JsonObject) -> Iterator[str]:
    """Yield the kinds of value that a schema allows."""
    branches = cast("Sequence[JsonObject]", schema.get("anyOf", ()))
    if not branches:
        yield _kind(schema)
    for branch in branches:
        yield from _alternatives(branch)


def _kind(schema: JsonObject) -> str:
    if "enum" in schema:
        listed = cast("Sequence[Json]", schema["enum"])
        return " or ".join(f"`{yaml_text(each)}`" for each in listed)
    if "const" in schema:
        return f"`{yaml_text(schema['const'])}`"
    name = schema.get("type")
    if name == "array":
        items = cast("JsonObject", schema.get("items", {}))
        inner = " or ".join(_alternatives(items)) if items else ""
        return f"list of {inner}" if inner else "list"
    return _KINDS.get(str(name), "anything")


def _keys(schema: JsonObject) -> Iterator[str]:
    """Yield a table's row for each key of the mappings that a schema allows."""
    required = cast("Sequence[str]", schema.get("required", ()))
    properties = cast("Mapping[str, JsonObject]", schema.get("properties", {}))
    for name, value in properties.items():
        kinds = " or ".join(dict.fromkeys(_alternatives(value)))
        need = " (required)" if name in required else ""
        meaning = _cell(str(value.get("description", "")))
        yield f"| `{name}`{need} | {_cell(kinds)} | {meaning} |"
        yield from _below(name, value)
    for branch in cast("Sequence[JsonObject]", schema.get("anyOf", ())):
        yield from _keys(branch)
    if isinstance(items := schema.get("items"), Mapping) and not properties:
        yield from _keys(items)


def _below(name: str, schema: JsonObject) -> Iterator[str]:
    items = schema.get("items")
    if isinstance(items, Mapping):
        for row in _keys(items):
            yield row.replace("| `", f"| `{name}[].", 1)


def _shown(answer: Answer) -> str:
    """Return an answer in backticks, with what it called and what it took."""
    told = []
    if answer.text:
        told.append(_code(json.dumps(answer.text, ensure_ascii=False)))
    if answer.tool_calls:
        calls = ", ".join(
            f"{call.name}({json.dumps(call.arguments, ensure_ascii=False)})"
            for call in answer.tool_calls
        )
        told.append(f"a call {_code(calls)}")
    if answer.contexts:
        texts = [context.text for context in answer.contexts]
        told.append(f"given {_code(json.dumps(texts))}")
    if answer.tokens is not None:
        told.append(f"{answer.tokens.completion} tokens")
    if answer.seconds is not None:
        told.append(f"{answer.seconds:g} s")
    if answer.usd is not None:
        told.append(f"{answer.usd:g} USD")
    return ", ".join(told) or "an empty answer"


def _code(text: str) -> str:
    """Return text as Markdown code, in as many backticks as it takes."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    if not longest:
        return f"`{text}`"
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
