"""Assertions on a part of the answer, and code that only says such a thing.

`transform: JSON.parse(output).city` looks at a value inside a JSON answer, and so
does `javascript: output.city === 'Rome'`.  What is recognised is a path and one
comparison; any other code stays a comment.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from pytest_llm_diagnosis.records import Json, JsonObject

from .asserting import Asserted, Made, checks_of
from .values import KeptError, entries, said

_PATH = r"((?:\.[A-Za-z_]\w*|\[\d+\])*)"
_WHOLE = re.compile(rf"\s*(?:JSON\.parse\(output\)|output){_PATH}\s*;?\s*")
_TOOL_NAME = re.compile(r"(?:\[\d+\])?(?:\.(?:function|functionCall))?\.name")
_LITERAL = r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false)"""
_EQUAL = re.compile(
    rf"(?:return\s+)?(?:JSON\.parse\(output\)|output){_PATH}\s*===?\s*{_LITERAL}"
)
_CALL = re.compile(
    r"(?:return\s+)?output((?:\.(?:trim|toLowerCase)\(\))*)"
    rf"\.(includes|startsWith|endsWith)\(\s*{_LITERAL}\s*\)"
)
_PY_IN = re.compile(rf"(?:return\s+)?{_LITERAL} in output((?:\.(?:strip|lower)\(\))*)")
_LENGTH = re.compile(
    r"(?:return\s+)?(?:output(?:\.trim\(\))?\.length|len\(output\))"
    r"\s*(<=|>=|<|>)\s*(\d+)"
)
_TRUE = re.compile(r"output|typeof output === (?:'string'|\"string\")")
# A path ending so is a method or a size, not a key.
_METHODS = (".length", ".trim", ".toString")


def transformed(each: Asserted, transform: str) -> list[Made]:
    """Return the checks of an assertion on what `transform` takes from the answer.

    Raises `KeptError` for a transform that is more than a path.
    """
    if transform.strip() in {"output.trim()", "output.text", "output"}:
        return checks_of(each)
    whole = _WHOLE.fullmatch(transform)
    if whole is None or whole[1].endswith(_METHODS):
        raise KeptError("its transform is code")
    if not whole[1]:
        return checks_of(each)
    if _TOOL_NAME.fullmatch(whole[1]) and each.kind == "equals" and each.tools:
        return [Made(dimension="facts", name="tool_call", params=said(each.value))]
    return [_value_check(f"${whole[1]}", each)]


def _value_check(path: str, each: Asserted) -> Made:
    params: dict[str, Json] = {"path": path}
    if each.kind == "equals":
        params["equals"] = each.value
    elif each.kind in {"contains", "contains-any", "icontains", "icontains-any"}:
        pattern = "|".join(map(re.escape, each.texts()))
        params["matches"] = f"(?i){pattern}" if each.kind[0] == "i" else pattern
    elif each.kind == "regex":
        params["matches"] = said(each.value)
    else:
        raise KeptError(f"{each.kind} on a part of the answer")
    return Made(dimension="facts", name="json_value", params=params)


def coded(each: Asserted) -> list[Made]:
    """Return the checks that code says which only compares.

    Raises `KeptError` for any other code: none is run.
    """
    if (
        not isinstance(each.value, str)
        or each.negated
        or each.value.startswith("file:")
    ):
        raise KeptError("code is not run")
    made: list[Made] = []
    code = each.value.strip().rstrip(";")
    for part in re.split(r"&&|\band\b", code) if "\n" not in code else [code]:
        made += _part(part.strip(), each)
    if not made:
        raise KeptError("code is not run")
    return made


def _part(code: str, each: Asserted) -> list[Made]:
    if _TRUE.fullmatch(code):
        return []
    if found := _LENGTH.fullmatch(code):
        return [_size(found[1], int(found[2]))]
    if found := _CALL.fullmatch(code):
        lower = "toLowerCase" in found[1]
        return [_says(found[2], _literal(found[3]), ignore_case=lower)]
    if found := _PY_IN.fullmatch(code):
        return [_says("includes", _literal(found[1]), ignore_case="lower" in found[2])]
    if found := _EQUAL.fullmatch(code):
        return _equal(found[1], _literal(found[2]), each)
    raise KeptError("code is not run")


def _equal(path: str, value: Json, each: Asserted) -> list[Made]:
    if path.endswith(_METHODS):
        raise KeptError("code is not run")
    if each.tools and _TOOL_NAME.fullmatch(path):
        return [Made(dimension="facts", name="tool_call", params=said(value))]
    equals = replace(each, kind="equals", value=value)
    return [_value_check(f"${path}", equals)] if path else checks_of(equals)


def _says(method: str, value: Json, *, ignore_case: bool) -> Made:
    names = {"startsWith": "starts_with", "endsWith": "ends_with"}
    params: JsonObject = {"text": said(value), "ignore_case": ignore_case}
    return Made(dimension="facts", name=names.get(method, "contains"), params=params)


def _size(sign: str, count: int) -> Made:
    count += {"<": -1, ">": 1}.get(sign, 0)
    bounds = f"{{{count},}}" if sign[0] == ">" else f"{{0,{max(count, 0)}}}"
    params: JsonObject = {"pattern": rf"(?s)\A.{bounds}\Z"}
    return Made(dimension="form", name="matches", params=params)


def _literal(written: str) -> Json:
    if written[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", written[1:-1])
    value: Json = json.loads(written)
    return value


def transform_of(options: JsonObject, test_options: JsonObject) -> str:
    """Return the transform that holds for an assertion; empty for none."""
    for given in (options, entries(test_options)):
        value = given.get("transform", given.get("postprocess"))
        if value is not None:
            return said(value)
    return ""
