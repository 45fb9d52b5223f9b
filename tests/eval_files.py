"""Small eval files for tests, with a handful of stand-in checks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from hypothesis import settings

from pytest_llm_diagnosis.cases import load_cases
from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import Case, Dimension, JsonObject

# A busy machine must not fail a law.
UNTIMED = settings(deadline=None)

TEXT: JsonObject = {"type": "string", "minLength": 1}
TEXTS: JsonObject = {"type": "array", "items": TEXT, "minItems": 1}
CONTENT: Mapping[str, JsonObject] = {
    "contains": {
        "anyOf": [
            TEXT,
            TEXTS,
            {
                "type": "object",
                "properties": {"text": {"anyOf": [TEXT, TEXTS]}},
                "required": ["text"],
                "additionalProperties": False,
            },
        ]
    },
    "number": {
        "type": "object",
        "properties": {"value": {"type": "number"}, "unit": TEXT},
        "required": ["value"],
        "additionalProperties": False,
    },
    "json": {"type": "null"},
    "tool_call": {
        "type": "object",
        "properties": {"name": TEXT, "arguments": {"type": "object"}},
        "required": ["name"],
        "additionalProperties": False,
    },
}
LIMITS: Mapping[str, JsonObject] = {
    "seconds": {"type": "number", "exclusiveMinimum": 0},
    "tokens": {"type": "integer", "minimum": 1},
}


class Checks:
    """Knows the parameters of four checks and two limits."""

    def parameter_schemas(self, dimension: Dimension) -> Mapping[str, JsonObject]:
        """Return the schemas by name."""
        return LIMITS if dimension == "limits" else CONTENT


def write(folder: Path, **files: str) -> None:
    """Write files below a folder; `docs__a_md` becomes `docs/a.md`."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")


def cases(folder: Path, text: str) -> tuple[Case, ...]:
    """Return the cases of an eval file with this text."""
    path = folder / "a.eval.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load_cases(path, folder, Checks())


def one(folder: Path, keys: str) -> Case:
    """Return a case with these keys and the least besides them."""
    lines = dedent(keys).strip("\n").splitlines()
    given = {line.split(":")[0] for line in lines}
    least = {"id": "a", "mark": "knowledge", "prompt": "q", "facts": "[contains: x]"}
    if "messages" in given:
        del least["prompt"]
    lines += [f"{key}: {value}" for key, value in least.items() if key not in given]
    (case,) = cases(folder, "cases:\n- " + "\n  ".join(lines) + "\n")
    return case


def shown(folder: Path, error: InputError) -> list[str]:
    """Return the lines of an error, paths relative to the folder."""
    return error.show(folder).splitlines()
