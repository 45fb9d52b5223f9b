"""The tests of a config: inline or in files, with defaults, scenarios, products."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_llm_diagnosis.records import Json, JsonObject

from .asserting import KINDS
from .beside import PREFIX, Beside
from .templates import render
from .values import KeptError, entries, listed, number, said, slug

_MOST = 2_000
_SHORT_VALUE = 80
_DATA = (".yaml", ".yml", ".json", ".jsonl", ".csv")
_EXPECTED = re.compile(
    r"\s*((?:not-)?[a-z][a-z-]*)\s*(?:\(\s*([\d.]+)\s*\))?\s*(?::\s*(.*))?", re.DOTALL
)
_SHORT = {"fn": "javascript", "eval": "javascript", "grade": "llm-rubric"}
# In a table alone; elsewhere the kinds have their own.
_THRESHOLDS: Mapping[str, float] = {"similar": 0.8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """An assertion as written; `source` tells it from every other of the config."""

    source: str
    given: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One set of vars with what is asserted; `group` is shared by a product's."""

    # pytest would take the class for one of its own.
    __test__ = False

    name: str
    group: str
    variables: JsonObject
    options: JsonObject
    assertions: tuple[Assertion, ...]
    notes: tuple[str, ...] = ()
    missing: str = ""


@dataclass(slots=True)
class Tests:
    """Reads a config's tests; `kept` tells what of them could not be had."""

    __test__ = False

    config: JsonObject
    beside: Beside
    kept: list[str] = field(default_factory=list)
    assertions: dict[str, JsonObject] = field(default_factory=dict)

    def read(self) -> list[Test]:
        """Return all tests, products of var lists expanded."""
        default = self._default()
        shared = self._assertions(default, "default")
        written = [*self._rows(self.config.get("tests")), *self._scenarios()]
        if not written and not {"tests", "scenarios", "redteam"} & self.config.keys():
            written = [{}]
        if not written and "redteam" in self.config:
            self.kept.append("redteam: promptfoo makes its tests while it runs")
        found: list[Test] = []
        for index, row in enumerate(written, 1):
            found += self._expanded(row, default, shared, f"test-{index}")
        if len(found) > _MOST:
            self.kept.append(f"{len(found) - _MOST} tests beyond {_MOST:,}")
        return found[:_MOST]

    def _default(self) -> JsonObject:
        written = self.config.get("defaultTest")
        if isinstance(written, str):
            try:
                return entries(self.beside.data(written))
            except KeptError as reason:
                self.kept.append(f"defaultTest: {reason}")
                return {}
        return entries(written)

    def _rows(self, written: Json) -> list[JsonObject]:
        rows: list[JsonObject] = []
        for item in listed(written):
            if isinstance(item, dict) and "path" not in item:
                rows.append(item)
                continue
            name = said(entries(item).get("path", item))
            try:
                rows += self._rows_of(name)
            except KeptError as reason:
                self.kept.append(f"tests: {reason}")
        return rows

    def _rows_of(self, written: str) -> list[JsonObject]:
        if re.match(r"(?!file:)\w+://", written):
            raise KeptError(f"{written} is not fetched")
        rows: list[JsonObject] = []
        for name in self.beside.matching(written):
            if not name.endswith(_DATA):
                # Says whether it is code, missing, or of no use.
                self.beside.text(name)
                raise KeptError(f"{name} is no table of tests")
            data = [entries(item) for item in listed(self.beside.data(name))]
            is_table = name.endswith(".csv")
            rows += [_row(item) for item in data] if is_table else data
        return rows

    def _scenarios(self) -> Iterator[JsonObject]:
        for scenario in map(entries, listed(self.config.get("scenarios"))):
            tests = self._rows(scenario.get("tests")) or [{}]
            for base in self._rows(scenario.get("config")) or [{}]:
                for test in tests:
                    yield _merged(base, test)

    def _expanded(
        self,
        row: JsonObject,
        default: JsonObject,
        shared: Sequence[Assertion],
        name: str,
    ) -> Iterator[Test]:
        own = self._assertions(row, name)
        notes: list[str] = []
        options = {**entries(default.get("options")), **entries(row.get("options"))}
        missing: list[str] = []
        merged = {**entries(default.get("vars")), **self._vars(row, missing)}
        combined = list(self._products(merged, options, missing))
        notes += [
            f"{key}: {said(row.get(key, default.get(key)))}"
            for key in ("provider", "providers", "threshold", "assertScoringFunction")
            if key in row or key in default
        ]
        described = said(row.get("description", ""))
        group = _name(described, combined[0], name)
        for variables in combined:
            shared_name = f"{described} {_values_said(variables)}" if described else ""
            yield Test(
                name=_name(shared_name, variables, name) if combined[1:] else group,
                group=group,
                variables=variables,
                options=options,
                assertions=(*shared, *own),
                notes=tuple(dict.fromkeys(notes)),
                missing="; ".join(dict.fromkeys(missing)),
            )

    def _vars(self, row: JsonObject, missing: list[str]) -> JsonObject:
        written = row.get("vars")
        if isinstance(written, str):
            try:
                data = self.beside.data(written)
            except KeptError as reason:
                missing.append(f"vars: {reason}")
                return {}
            return entries(listed(data)[0]) if listed(data) else {}
        return entries(written)

    def _products(
        self, variables: JsonObject, options: JsonObject, missing: list[str]
    ) -> Iterator[JsonObject]:
        columns = []
        for name, value in variables.items():
            # promptfoo spreads lists of texts alone over tests.
            spread = not isinstance(value, list) or (
                bool(value)
                and isinstance(value[0], str)
                and not options.get("disableVarExpansion")
            )
            columns.append(self._values(name, value, missing) if spread else [value])
        size = 1
        for column in columns:
            size *= len(column)
        rows = itertools.product(*columns)
        if size > _MOST:
            self.kept.append(f"{size - _MOST} products of vars beyond {_MOST:,}")
            rows = itertools.product(*(column[:1] for column in columns))
        for row in rows:
            yield dict(zip(variables, row, strict=True))

    def _values(self, name: str, value: Json, missing: list[str]) -> list[Json]:
        if not isinstance(value, list):
            value = [value]
        found: list[Json] = []
        for item in value:
            if not (isinstance(item, str) and item.startswith(PREFIX)):
                found.append("" if item is None else item)
                continue
            try:
                found += [self._file(each) for each in self.beside.matching(item)]
            except KeptError as reason:
                missing.append(f"var {name}: {reason}")
                found.append(item)
        return found or [""]

    def _file(self, name: str) -> Json:
        if name.endswith((".yaml", ".yml", ".json")):
            return self.beside.data(name)
        return self.beside.text(name)

    def _assertions(self, row: JsonObject, owner: str) -> list[Assertion]:
        found: list[Assertion] = []
        for index, item in enumerate(listed(row.get("assert")), 1):
            given = entries(self._referred(item))
            source = f"{owner} assertion {index}"
            if given.get("type") == "assert-set" and "threshold" not in given:
                inner = self._assertions(given, f"{source}, its")
                found += inner
                continue
            found.append(Assertion(source=source, given=given))
            self.assertions[source] = given
        return found

    def _referred(self, item: Json) -> Json:
        """Return what `$ref: '#/...'` within the config refers to."""
        written = entries(item).get("$ref")
        if not isinstance(written, str) or not written.startswith("#/"):
            return item
        value: Json = self.config
        for step in written[2:].split("/"):
            value = entries(value).get(step)
        return {
            **entries(value),
            **{k: v for k, v in entries(item).items() if k != "$ref"},
        }


def _name(described: str, variables: JsonObject, otherwise: str) -> str:
    """Return a name that does not change when other tests come or go."""
    text = render(described, variables).text
    return slug(text or _values_said(variables), otherwise)


def _values_said(variables: JsonObject) -> str:
    short = (said(value) for value in variables.values())
    return " ".join(
        text
        for text in short
        if len(text) <= _SHORT_VALUE and not text.startswith(PREFIX)
    )


def _merged(base: JsonObject, test: JsonObject) -> JsonObject:
    both = {**base, **test}
    for key in ("vars", "options"):
        both[key] = {**entries(base.get(key)), **entries(test.get(key))}
    both["assert"] = [*listed(base.get("assert")), *listed(test.get("assert"))]
    return both


def _row(cells: JsonObject) -> JsonObject:
    """Return the test that a row of a table spells out."""
    test: dict[str, Json] = {
        "vars": {key: cell for key, cell in cells.items() if not key.startswith("__")}
    }
    if cells.get("__description"):
        test["description"] = cells["__description"]
    options = {
        key: cells[f"__{key}"] for key in ("prefix", "suffix") if cells.get(f"__{key}")
    }
    test["options"] = options
    expected = sorted(key for key in cells if re.fullmatch(r"__expected\d*", key))
    test["assert"] = [
        _threshold(_expected(said(cells[key])), key, cells)
        for key in expected
        if said(cells[key]).strip()
    ]
    return test


def _threshold(given: JsonObject, key: str, cells: JsonObject) -> JsonObject:
    names = [f"__config:{key}:threshold"]
    names += [f"__config:{key[:-1]}:threshold"] if key.endswith("1") else []
    found = next((cells[name] for name in names if cells.get(name)), None)
    return given if found is None else {**given, "threshold": found}


def _expected(written: str) -> JsonObject:
    """Return the assertion of a cell: `kind(threshold): value`, or the whole answer."""
    if written.startswith(PREFIX):
        return {"type": "javascript", "value": written}
    found = _EXPECTED.fullmatch(written)
    kind = _SHORT.get(found[1], found[1]) if found else ""
    if found is None or kind.removeprefix("not-") not in KINDS:
        return {"type": "equals", "value": written}
    given: dict[str, Json] = {"type": kind}
    if found[3]:
        given["value"] = found[3].strip()
    threshold = number(found[2]) or _THRESHOLDS.get(kind)
    return {**given, "threshold": threshold} if threshold else given
