"""The prompts of a config: text or turns, inline or from files beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import Json, JsonObject
from pytest_llm_diagnosis.source import parse, plain

from .beside import PREFIX, Beside
from .templates import Rendered, render
from .values import KeptError, Names, entries, listed, said, slug

_SEPARATOR = re.compile(r"^---\s*$", re.MULTILINE)
_FILES = (".txt", ".md", ".json", ".jsonl", ".yaml", ".yml", ".j2", ".csv")
_ROLES = frozenset({"system", "user", "assistant", "tool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt with its template still in it; `missing` says why it has no text."""

    name: str
    text: str
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A prompt for one test: text or turns, and what was left of the template."""

    text: str
    turns: tuple[JsonObject, ...] = ()
    left: tuple[str, ...] = ()


def prompts_of(config: JsonObject, beside: Beside) -> list[Prompt]:
    """Return the prompts of a config in their order, each with a name of its own.

    A config without prompts sends the var `prompt`, as promptfoo does.
    """
    names = Names()
    written = config.get("prompts")
    # An old form maps files to labels.
    if isinstance(written, dict) and not {"id", "raw", "label"} & written.keys():
        written = list(written)
    found = [
        prompt
        for item in listed(written) or ["{{prompt}}"]
        for prompt in _prompts(item, beside)
    ]
    return [
        Prompt(
            name=names.unique(slug(prompt.name, f"prompt-{index}")),
            text=prompt.text,
            missing=prompt.missing,
        )
        for index, prompt in enumerate(found, 1)
    ]


def _prompts(item: Json, beside: Beside) -> Iterator[Prompt]:
    given = entries(item)
    text = said(given.get("raw", given.get("content", given.get("id", ""))))
    label = said(given.get("label", ""))
    if not given:
        text = said(item)
    if not text.strip():
        text = label or "(no text)"
    if not (text.startswith(PREFIX) or _names_file(text)):
        missing = "it is kept elsewhere" if re.match(r"\w+://", text) else ""
        yield Prompt(name=label or text.split("\n")[0], text=text, missing=missing)
        return
    try:
        for name in beside.matching(text):
            for part in _parts(name, beside):
                yield Prompt(name=label or Path(name).stem, text=part)
    except KeptError as reason:
        name = text.removeprefix(PREFIX)
        yield Prompt(name=label or name, text=text, missing=str(reason))


def _names_file(text: str) -> bool:
    return "\n" not in text and " " not in text and text.endswith(_FILES)


def _parts(name: str, beside: Beside) -> list[str]:
    if name.endswith(".csv"):
        rows = [entries(row) for row in listed(beside.data(name))]
        return [said(row["prompt"]) for row in rows if "prompt" in row]
    text = beside.text(name)
    if name.endswith(".jsonl"):
        return [line for line in text.split("\n") if line.strip()]
    if not name.endswith((".txt", ".md")):
        return [text]
    return [part.strip() for part in _SEPARATOR.split(text) if part.strip()]


def filled(prompt: Prompt, variables: JsonObject, options: JsonObject) -> Filled:
    """Return a prompt with a test's vars, between its prefix and suffix."""
    text = said(options.get("prefix", "")) + prompt.text
    text += said(options.get("suffix", ""))
    # Before filling in, a quote in a value cannot break the JSON around it.
    turns = _turns(text)
    if turns:
        left: list[str] = []
        done = tuple(_filled_turn(turn, variables, left) for turn in turns)
        return Filled(text="", turns=done, left=tuple(dict.fromkeys(left)))
    rendered = render(text, variables)
    turns = () if rendered.left else _turns(rendered.text)
    if turns:
        return Filled(text="", turns=turns)
    return Filled(text=rendered.text, left=rendered.left)


def _turns(text: str) -> tuple[JsonObject, ...]:
    """Return the turns that a text spells out as JSON or YAML; none otherwise."""
    start = text.lstrip()[:1]
    if start not in {"[", "-", "{"}:
        return ()
    try:
        value: Json = cast("Json", json.loads(text))
    except (ValueError, RecursionError):
        try:
            value = plain(parse(text, Path("prompt"))) if start == "-" else None
        except InputError:
            return ()
    value = entries(value).get("messages", value)
    turns = tuple(entries(turn) for turn in listed(value))
    return turns if turns and all(map(_is_turn, turns)) else ()


def _is_turn(turn: JsonObject) -> bool:
    content = turn.get("content")
    told = isinstance(content, str) or (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(part, dict) for part in content)
    )
    return turn.keys() <= {"role", "content"} and turn.get("role") in _ROLES and told


def _filled_turn(
    turn: JsonObject, variables: JsonObject, left: list[str]
) -> JsonObject:
    return {
        "role": turn["role"],
        "content": _filled_value(turn["content"], variables, left),
    }


def _filled_value(value: Json, variables: JsonObject, left: list[str]) -> Json:
    if isinstance(value, str):
        done: Rendered = render(value, variables)
        left += done.left
        return done.text
    if isinstance(value, dict):
        return {
            key: _filled_value(item, variables, left) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_filled_value(item, variables, left) for item in value]
    return value
