"""Reading the parameters of a check, with their JSON Schemas.

The schemas tell editors and the loader what may be written; the readers hold
for specs made in Python too, and raise `InputError` at the spec's location.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import CheckSpec, Json, JsonObject

TEXT: JsonObject = {"type": "string", "minLength": 1}
TEXTS: JsonObject = {"type": "array", "items": TEXT, "minItems": 1}
TEXT_OR_TEXTS: JsonObject = {"anyOf": [TEXT, TEXTS]}
FLAG: JsonObject = {"type": "boolean"}


def options(
    description: str, properties: JsonObject, required: Sequence[str] = ()
) -> JsonObject:
    """Return the schema of a mapping that takes these keys and no other."""
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def described(schema: JsonObject, description: str) -> JsonObject:
    """Return the schema with a description for editors."""
    return {"description": description, **schema}


def wrong(spec: CheckSpec, finding: str, hint: str = "") -> InputError:
    """Return the error for a parameter that cannot work."""
    return InputError.at(spec.location, f"{spec.name}: {finding}", hint)


def mapping(spec: CheckSpec, short: str) -> JsonObject:
    """Return the parameters as a mapping; a bare value stands for key `short`."""
    params = spec.params
    if isinstance(params, Mapping):
        return params
    if params is None:
        raise wrong(spec, f"needs a value for {short!r}")
    return {short: params}


def texts(spec: CheckSpec, value: Json, what: str = "text") -> tuple[str, ...]:
    """Return one text or a list of them as a tuple of non-empty texts."""
    listed = (value,) if isinstance(value, str) else value
    if not isinstance(listed, Sequence) or not listed:
        raise wrong(spec, f"{what} must be text or a list of texts, not {value!r}")
    found = tuple(item for item in listed if isinstance(item, str) and item)
    if len(found) != len(listed):
        raise wrong(spec, f"{what} must hold texts that are not empty")
    return found


def text(spec: CheckSpec, value: Json, what: str = "text") -> str:
    """Return a non-empty text."""
    if not isinstance(value, str) or not value:
        raise wrong(spec, f"{what} must be text, not {value!r}")
    return value


def flag(spec: CheckSpec, params: JsonObject, key: str, *, default: bool) -> bool:
    """Return a yes-or-no parameter."""
    value = params.get(key, default)
    if not isinstance(value, bool):
        raise wrong(spec, f"{key} must be true or false, not {value!r}")
    return value


def count(spec: CheckSpec, value: Json, what: str) -> int:
    """Return a whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong(spec, f"{what} must be a whole number from 0, not {value!r}")
    return value


def quantity(spec: CheckSpec, value: Json, what: str) -> float:
    """Return a number that is neither negative nor infinite."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not 0 <= value < float("inf"):  # type: ignore[operator]
        raise wrong(spec, f"{what} must be a number from 0, not {value!r}")
    return float(value)  # type: ignore[arg-type]


def need(spec: CheckSpec, module: str, extra: str) -> None:
    """Raise `InputError` when the library of an extra is not installed."""
    if find_spec(module) is None:
        finding = f"needs {module}, which is not installed"
        hint = f"pip install 'pytest-llm-diagnosis[{extra}]'"
        raise wrong(spec, finding, hint)
