"""One assertion to checks of ours: what it looks for and under which heading."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import Dimension, Json, JsonObject
from pytest_llm_diagnosis.source import parse, plain

from .values import KeptError, entries, listed, number, said

CODE = frozenset({"javascript", "python", "ruby", "webhook"})
_BY_MODEL = (
    "llm-rubric similar g-eval factuality model-graded-closedqa "
    "model-graded-factuality answer-relevance context-recall context-relevance "
    "context-faithfulness conversation-relevance select-best max-score moderation "
    "classifier pi search-rubric agent-rubric trajectory "
    "perplexity perplexity-score promptfoo"
)
MODEL = frozenset(_BY_MODEL.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One check: its heading, its name, its parameters, and what differs."""

    dimension: Dimension
    name: str
    params: Json
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asserted:
    """An assertion with the vars of its test filled in.

    `judge` is the model that judges, as litellm names it; `tools` the names of
    the tools on offer; `calls` says that the test wants a tool call, which promptfoo
    takes for JSON text.
    """

    kind: str
    value: Json
    options: JsonObject
    judge: str
    tools: tuple[str, ...] = ()
    calls: bool = False

    @property
    def bare(self) -> str:
        """The kind without `not-`."""
        return self.kind.removeprefix("not-")

    @property
    def negated(self) -> bool:
        """Whether the kind begins with `not-`."""
        return self.kind.startswith("not-")

    def texts(self) -> list[str]:
        """Return the texts that are looked for, none of them empty."""
        value = self.value
        if self.bare.endswith(("-any", "-all")) and isinstance(value, str):
            value = [part.strip() for part in value.split(",")]
        found = [said(item) for item in listed(value)]
        if not found or not all(text.strip() for text in found):
            raise KeptError("it gives no text to look for")
        return found


def family(kind: str) -> str:
    """Return whether a kind is decided by rules, by code or by a model."""
    bare = kind.removeprefix("not-").partition(":")[0]
    if bare in CODE:
        return "code"
    return "model" if bare in MODEL else "deterministic"


def _heading(texts: list[str]) -> Dimension:
    # Facts are looked for in folded text, in which marks alone leave no trace.
    spoken = all(any(char.isalnum() for char in text) for text in texts)
    return "facts" if spoken else "form"


def _wording(name: str, texts: list[str], *, ignore_case: bool) -> list[Made]:
    params: dict[str, Json] = {
        "text": texts[0] if len(texts) == 1 else [*texts],
        "ignore_case": ignore_case,
    }
    return [Made(dimension=_heading(texts), name=name, params=params)]


def _contains(each: Asserted) -> list[Made]:
    ignore_case = each.bare.startswith("i")
    texts = each.texts()
    if each.bare in {"contains", "icontains"} and len(texts) > 1:
        raise KeptError("it takes one text, not a list")
    if each.negated and each.bare.endswith("-all") and len(texts) > 1:
        ahead = "".join(f"(?=.*{re.escape(text)})" for text in texts)
        flags = "(?si)" if ignore_case else "(?s)"
        return [_pattern("not_matches", rf"{flags}\A{ahead}")]
    if each.negated:
        return _wording("excludes", texts, ignore_case=ignore_case)
    name = "contains_any" if each.bare.endswith("-any") else "contains"
    return _wording(name, texts, ignore_case=ignore_case)


def _pattern(name: str, pattern: str, dimension: Dimension = "facts") -> Made:
    return Made(dimension=dimension, name=name, params={"pattern": pattern})


def _equals(each: Asserted) -> list[Made]:
    if isinstance(each.value, dict | list):
        if each.negated:
            raise KeptError("no check says that a JSON value is another")
        params: JsonObject = {"path": "$", "equals": each.value}
        return [Made(dimension="facts", name="json_value", params=params)]
    (text,) = each.texts()
    if each.negated:
        return [_pattern("not_matches", rf"\A\s*{re.escape(text)}\s*\Z")]
    return _wording("equals", [text], ignore_case=False)


def _starts_with(each: Asserted) -> list[Made]:
    text = said(each.value)
    if each.negated:
        return [_pattern("not_matches", rf"\A{re.escape(text)}")]
    return _wording("starts_with", each.texts(), ignore_case=False)


def _regex(each: Asserted) -> list[Made]:
    # JavaScript writes the names of groups without a P.
    pattern = re.sub(r"\(\?<(?![=!])", "(?P<", said(each.value))
    return [_pattern("not_matches" if each.negated else "matches", pattern)]


def _json(each: Asserted) -> list[Made]:
    only_if(each, positive=True)
    dimension: Dimension = "facts" if each.kind == "contains-json" else "form"
    if not each.value:
        if each.calls:
            return _tool_call(each)
        return [Made(dimension=dimension, name="json", params=None)]
    schema = _schema(each.value)
    return [Made(dimension=dimension, name="json_schema", params=schema)]


def _schema(value: Json) -> JsonObject:
    """Return a schema that is written as a mapping, or as the text of one."""
    try:
        found = plain(parse(value, Path("schema"))) if isinstance(value, str) else value
    except InputError:
        found = None
    if not isinstance(found, dict):
        raise KeptError("its schema cannot be read")
    return found


def _properties(each: Asserted) -> list[Made]:
    only_if(each, positive=True)
    schema: JsonObject = {"type": "object", "required": [*each.texts()]}
    return [Made(dimension="form", name="json_schema", params=schema)]


_DIALECTS: Mapping[str, str] = {
    "mysql": "mysql",
    "mariadb": "mysql",
    "postgresql": "postgres",
    "sqlite": "sqlite",
    "bigquery": "bigquery",
    "snowflake": "snowflake",
    "transactsql": "tsql",
    "hive": "hive",
    "db2": "",
}


def _parses(each: Asserted) -> list[Made]:
    only_if(each, positive=True)
    contained, _, written = each.kind.partition("-")
    options = entries(each.value)
    params: dict[str, Json] = {"format": written}
    dialect = _DIALECTS.get(said(options.get("databaseType", "")).lower(), "")
    if written == "sql" and dialect:
        params["dialect"] = dialect
    if contained == "contains":
        params["fence"] = "allowed"
    lost = sorted(options.keys() - {"databaseType"})
    note = f"not checked: {', '.join(lost)}" if lost else ""
    if contained == "contains":
        note = "promptfoo also allows text around it"
    return [Made(dimension="form", name="parses_as", params=params, note=note)]


def _refusal(each: Asserted) -> list[Made]:
    name = "complies" if each.negated else "refuses"
    return [Made(dimension="facts", name=name, params=None)]


def _distance(each: Asserted) -> list[Made]:
    only_if(each, positive=True)
    (text,) = each.texts()
    edits = number(each.options.get("threshold")) or 5
    percent = max(0, round(100 * (1 - edits / max(len(text), 1))))
    params: JsonObject = {"text": text, "whole": True, "threshold": percent}
    note = f"{edits:g} edits, as a share of the text's length"
    return [Made(dimension="facts", name="fuzzy", params=params, note=note)]


def _latency(each: Asserted) -> list[Made]:
    only_if(each, positive=True)
    most = _threshold(each)
    return [Made(dimension="limits", name="seconds", params=most / 1000)]


def _cost(each: Asserted) -> list[Made]:
    only_if(each, positive=True)
    return [Made(dimension="limits", name="usd", params=_threshold(each))]


def _threshold(each: Asserted) -> float:
    most = number(each.options.get("threshold", each.value))
    if most is None or most <= 0:
        raise KeptError("it gives no threshold")
    return most


def _words(each: Asserted) -> list[Made]:
    only_if(each, positive=True)
    value = each.value
    limits = entries(value) or {"min": value, "max": value}
    made = []
    for key, name in (("min", "min_words"), ("max", "max_words")):
        words = number(limits.get(key))
        if words is not None:
            made.append(Made(dimension="form", name=name, params=int(words)))
    if not made:
        raise KeptError("it gives no number of words")
    return made


def _length(each: Asserted) -> list[Made]:
    only_if(each, positive=True)
    count = number(each.value)
    if count is None:
        raise KeptError("it gives no number of characters")
    bounds = (
        f"{{{int(count)},}}" if each.kind == "min-length" else f"{{0,{int(count)}}}"
    )
    return [_pattern("matches", rf"(?s)\A.{bounds}\Z", "form")]


def _not_empty(_: Asserted) -> list[Made]:
    return [Made(dimension="form", name="min_words", params=1)]


def _tool_call(each: Asserted) -> list[Made]:
    if each.negated:
        return [Made(dimension="form", name="tool_call", params={"count": 0})]
    if len(each.tools) == 1:
        return [Made(dimension="form", name="tool_call", params=each.tools[0])]
    note = "one call of any tool; its arguments are not checked against a schema"
    return [Made(dimension="form", name="tool_call", params={"count": 1}, note=note)]


def _finish(each: Asserted) -> list[Made]:
    if said(each.value) == "tool_calls":
        return _tool_call(replace(each, value=None))
    raise KeptError("no check reads the finish reason")


def only_if(each: Asserted, *, positive: bool) -> None:
    """Raise `KeptError` for an assertion that is negated, where none can be."""
    if each.negated is positive:
        raise KeptError(f"no check says the opposite of {each.bare}")


_TABLE: Mapping[str, Callable[[Asserted], list[Made]]] = {
    **dict.fromkeys(("contains", "contains-any", "contains-all"), _contains),
    **dict.fromkeys(("icontains", "icontains-any", "icontains-all"), _contains),
    "equals": _equals,
    "starts-with": _starts_with,
    "regex": _regex,
    **dict.fromkeys(("is-json", "contains-json", "json-schema-valid"), _json),
    "contains-json-property": _properties,
    **dict.fromkeys(("is-xml", "is-sql", "contains-xml", "contains-sql"), _parses),
    "is-refusal": _refusal,
    "levenshtein": _distance,
    "latency": _latency,
    "cost": _cost,
    "word-count": _words,
    **dict.fromkeys(("min-length", "max-length"), _length),
    "not-empty": _not_empty,
    "is-valid-openai-tools-call": _tool_call,
    "is-valid-openai-function-call": _tool_call,
    "is-valid-function-call": _tool_call,
    "finish-reason": _finish,
}


_UNKNOWN_TO_US = (
    "is-html contains-html rouge-n bleu gleu meteor guardrails webhook "
    "trace-error-spans trace-span-count trace-span-duration"
)
KINDS = CODE | MODEL | _TABLE.keys() | set(_UNKNOWN_TO_US.split())
"""What may stand before the colon of a table's expectation."""


def checks_of(each: Asserted) -> list[Made]:
    """Return the checks that say what an assertion says, decided by rules.

    Raises `KeptError` for what none of our checks says.
    """
    name = each.kind if each.kind in _TABLE else each.bare
    if name not in _TABLE:
        raise KeptError(f"no check of ours is a {each.kind}")
    return _TABLE[name](each)
