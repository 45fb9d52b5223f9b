"""The page: its template, its policy, and the data that its script reads.

Whatever is not our own wording is escaped twice over: the template engine escapes
every value, and the policy lets no script, style or request through that does not
stand in this package.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from pytest_llm_diagnosis.records import Json
from pytest_llm_diagnosis.report.lines import printable
from pytest_llm_diagnosis.report.view import View

from .case_data import case_data
from .sections import page_of

_SCRIPTS = ("words.js", "table.js", "story.js", "page.js")
_STYLE = "page.css"
_TEMPLATE = "page.html.jinja"
_ROWS = 500
"""Cases that are encoded at a time."""

# In a script element only `<` can begin what HTML would take for its end, or for a
# comment (HTML Standard, 4.12.1.3); the others are escaped for those who copy it.
_IN_SCRIPT = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})


def page_chunks(view: View) -> Iterator[str]:
    """Yield the page in pieces, each of them ASCII."""
    style, script = _read(_STYLE), _script()
    template = _environment().from_string(_read(_TEMPLATE))
    pieces = template.generate(
        page=page_of(view),
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - files of this package
        policy=_policy(style, script),
        data=map(Markup, _data(view)),
    )
    yield from map(_ascii, pieces)


def _environment() -> Environment:
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    """Return hostile text as mere text; it cannot be forgotten at any place."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


def _policy(style: str, script: str) -> str:
    """Return the content security policy that lets these two texts act and no other."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _script() -> str:
    """Return the scripts as one, whose names nobody else can see."""
    return "{\n" + "\n".join(map(_read, _SCRIPTS)) + "}\n"


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="ascii")


def _ascii(text: str) -> str:
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


# -- data ------------------------------------------------------------------


def _data(view: View) -> Iterator[str]:
    cases, shared = case_data(view)
    yield '{"cases":['
    yield from _rows(cases)
    yield "]"
    for name, value in shared.items():
        yield f",{_encoded(name)}:{_encoded(value)}"
    yield "}"


def _rows(cases: Iterable[Json]) -> Iterator[str]:
    batch: list[Json] = []
    lead = ""
    for case in cases:
        batch.append(case)
        if len(batch) == _ROWS:
            yield lead + _encoded(batch)[1:-1]
            batch, lead = [], ","
    if batch:
        yield lead + _encoded(batch)[1:-1]


def _encoded(data: Json) -> str:
    """Return JSON that stays within its script element, whatever it says."""
    return json.dumps(data, separators=(",", ":")).translate(_IN_SCRIPT)
