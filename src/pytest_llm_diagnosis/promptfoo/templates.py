"""`{{name}}` filled in from vars; what else Nunjucks can do stays as text."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from pytest_llm_diagnosis.records import Json, JsonObject

from .values import entries, said

_EXPRESSION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_NAME = re.compile(r"[^\W\d]\w*(?:\.\w+|\[\d+\])*")
_STEP = re.compile(r"\w+")
_DUMP = re.compile(r"\s*\|\s*dump\s*$")
_SAFE = re.compile(r"\s*\|\s*safe\s*$")
# Vars may name vars; promptfoo follows them too, and a circle must end.
_DEPTH = 4


class Rendered(NamedTuple):
    """A text, and those of its template expressions that were left in it."""

    text: str
    left: tuple[str, ...] = ()


def render(text: str, variables: JsonObject) -> Rendered:
    """Return a text with its simple variables filled in."""
    if "{%" in text:
        return Rendered(text, ("{% ... %}",))
    for _ in range(_DEPTH):
        filled = _EXPRESSION.sub(lambda found: _filled(found, variables), text)
        if filled == text:
            break
        text = filled
    left = dict.fromkeys(found[0] for found in _EXPRESSION.finditer(text))
    return Rendered(text, tuple(left))


def render_all(value: Json, variables: JsonObject) -> Json:
    """Return a value with the variables of all its texts filled in."""
    if isinstance(value, str):
        whole = _EXPRESSION.fullmatch(value)
        if whole and (found := _found(whole[1], variables)) is not None:
            return render_all(found, {}) if isinstance(found, str) else found
        return render(value, variables).text
    if isinstance(value, list | tuple):
        return [render_all(item, variables) for item in value]
    if isinstance(value, dict):
        return {key: render_all(item, variables) for key, item in value.items()}
    return value


def _filled(found: re.Match[str], variables: JsonObject) -> str:
    expression = _SAFE.sub("", found[1])
    name = _DUMP.sub("", expression)
    value = _found(name, variables)
    if value is None:
        return found[0]
    if name != expression:
        return json.dumps(value, ensure_ascii=False)
    return said(value)


def _found(name: str, variables: JsonObject) -> Json:
    if not _NAME.fullmatch(name):
        return None
    value: Json = variables
    for step in _STEP.findall(name):
        if (
            isinstance(value, list | tuple)
            and step.isdigit()
            and int(step) < len(value)
        ):
            value = value[int(step)]
        else:
            value = entries(value).get(step)
    return value
