"""One recorded answer as one line of JSON, made to be read in a pull request.

    {"case": "refunds.eval.yaml::boots", "arm": "first", "trial": 0, "key": "5e1f...",
     "request": {"messages": [...]}, "answer": {"text": "45 days", "seconds": 0.4}}

What is empty is left out, measures are rounded, and long message texts are cut
to their beginning and a digest, because a line is found by its key.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pytest_llm_diagnosis.records import Answer, Json, JsonObject, Request

_LONG = 2_000
_SHOWN = 1_000
_DIGEST = 16

# Control, direction and line-separator characters deceive a reader or a tool
# that splits lines; lone surrogates cannot be written as UTF-8.
_HIDDEN = re.compile(
    "[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)
_HEAD = re.compile(
    r'\{"case": ?"((?:[^"\\]|\\.)*)", ?"arm": ?"(\w+)", ?"trial": ?(\d{1,9}),'
    r' ?"key": ?"(\w+)", ?'
)


class MalformedLineError(ValueError):
    """A line that is no recorded answer, with the reason."""


class Head(NamedTuple):
    """What a line is found and sorted by."""

    case: str
    arm: str
    trial: int
    key: str


def head_of(line: str) -> Head:
    """Return the head of a line, read without parsing the rest where possible.

    Raises `ValueError`, saying what is wrong, for a line that is no recording.
    """
    match = _HEAD.match(line)
    if match is None or not line.endswith("}"):
        return _head(parse(line))
    case, arm, trial, key = match.groups()
    if "\\" in case:
        case = json.loads(f'"{case}"')
    return Head(case, arm, int(trial), key)


def parse(line: str) -> JsonObject:
    """Return a whole line as data; raises `ValueError`."""
    try:
        data = json.loads(line)
    except RecursionError:
        raise MalformedLineError("nested too deeply") from None
    if not isinstance(data, dict):
        raise MalformedLineError(
            f"a JSON object is expected, not {type(data).__name__}"
        )
    return data


def format_line(request: Request, answer: Answer) -> str:
    """Return the line of an answer, without its line end."""
    data = {
        "case": request.case,
        "arm": request.arm,
        "trial": request.trial,
        "key": request.key,
        "request": shown_request(request),
        "answer": _answer(request, answer),
    }
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shown_request(request: Request) -> dict[str, Json]:
    """Return the parts of a request that a line shows."""
    parts: dict[str, Json] = {
        **request.endpoint,
        "messages": request.messages,
        "tools": request.tools,
        "params": request.params,
    }
    return {name: _shortened(value) for name, value in parts.items() if value}


def answer_of(data: JsonObject, request: Request) -> Answer:
    """Return the answer of a parsed line, its contexts taken from the request.

    Raises `ValueError` when the line holds none.
    """
    stated = data.get("answer")
    if not isinstance(stated, Mapping):
        raise MalformedLineError("it has no answer")
    contexts = [context.to_dict() for context in request.contexts]
    complete = {"text": "", "contexts": contexts, **stated}
    try:
        return Answer.from_dict(complete, stored=True)
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedLineError(f"its answer is malformed: {error!r}") from None


def _head(data: JsonObject) -> Head:
    missing = [name for name in Head._fields if name not in data]
    if missing:
        raise MalformedLineError(f"it has no {missing[0]!r}")
    trial = data["trial"]
    if not isinstance(trial, int):
        raise MalformedLineError(f"'trial' must be a number, not {trial!r}")
    return Head(str(data["case"]), str(data["arm"]), trial, str(data["key"]))


def _answer(request: Request, answer: Answer) -> dict[str, Json]:
    data = answer.to_dict()
    if answer.contexts == request.contexts:
        del data["contexts"]
    data["seconds"] = _rounded(answer.seconds, 2)
    data["usd"] = _rounded(answer.usd, 4)
    data["saved_usd"] = _rounded(answer.saved_usd, 4)
    kept = {"text", "contexts"}
    return {
        name: value
        for name, value in data.items()
        if name in kept or value not in (None, [])
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else float(f"{value:.{digits}g}")


def _shortened(value: Json) -> Json:
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, Mapping):
        return {name: _shortened(entry) for name, entry in value.items()}
    if isinstance(value, Sequence):
        return [_shortened(item) for item in value]
    return value


def _cut(text: str) -> str:
    if len(text) <= _LONG:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    more = len(text) - _SHOWN
    return f"{text[:_SHOWN]}... [{more} more characters, sha256 {digest[:_DIGEST]}]"
