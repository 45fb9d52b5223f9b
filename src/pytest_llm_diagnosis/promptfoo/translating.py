"""The assertions of one test to checks that are known to work, and comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_llm_diagnosis.checks import Registry
from pytest_llm_diagnosis.errors import InputError, Location
from pytest_llm_diagnosis.records import CheckSpec, Dimension, Json, JsonObject, Mark

from .asserting import CODE, Asserted, Made, checks_of, family
from .beside import PREFIX, Beside
from .counting import Tally
from .judging import JUDGE, judged
from .providers import model_name
from .templates import render_all
from .testing import Assertion, Test
from .transforming import coded, transform_of, transformed
from .values import KeptError, entries, number, said


@dataclass(slots=True)
class Translated:
    """The checks of a case by heading, and what is said beside them."""

    checks: dict[Dimension, list[Made]] = field(
        default_factory=lambda: {"facts": [], "form": [], "limits": []}
    )
    kept: list[tuple[Assertion, str]] = field(default_factory=list)

    @property
    def asks(self) -> bool:
        """Whether a check of content or form came of it."""
        return bool(self.checks["facts"] or self.checks["form"])

    @property
    def mark(self) -> Mark:
        """A guess: content that must be said is knowledge, all else behavior."""
        wanted = (made.name for made in self.checks["facts"])
        silent = {"excludes", "not_matches", "refuses", "complies", "tool_call"}
        return "knowledge" if set(wanted) - silent else "behavior"


@dataclass(frozen=True, slots=True, kw_only=True)
class Translator:
    """Translates the assertions of a config's tests."""

    registry: Registry
    beside: Beside
    tally: Tally
    tools: tuple[str, ...] = ()

    def translate(self, test: Test) -> Translated:
        """Return the checks of a test; what cannot be expressed is kept."""
        done = Translated()
        for assertion in test.assertions:
            kind = said(assertion.given.get("type", "")) or "(none)"
            self.tally.saw(assertion.source, kind)
            try:
                made = self._checks(assertion.given, kind, test)
            except KeptError as reason:
                self.tally.kept(assertion.source, str(reason))
                done.kept.append((assertion, str(reason)))
                continue
            for each in made:
                if each not in done.checks[each.dimension]:
                    done.checks[each.dimension].append(each)
        return done

    def _checks(self, given: JsonObject, kind: str, test: Test) -> Sequence[Made]:
        if number(given.get("weight", 1)) == 0:
            raise KeptError("its weight is 0: it never fails a test")
        value = self._value(given.get("value"), test.variables)
        each = Asserted(
            kind=kind,
            value=value,
            options=given,
            judge=_judge(given, test.options),
            tools=self.tools,
            calls=any(
                "-call" in said(one.given.get("type")) for one in test.assertions
            ),
        )
        return [self._working(made) for made in _made(each, test)]

    def _value(self, value: Json, variables: JsonObject) -> Json:
        filled = render_all(value, variables)
        if not (isinstance(filled, str) and filled.startswith(PREFIX)):
            return filled
        if filled.endswith((".json", ".yaml", ".yml")):
            return self.beside.data(filled)
        return render_all(self.beside.text(filled).strip(), variables)

    def _working(self, made: Made) -> Made:
        """Return a check that binds; text that leaves no trace as fact is form."""
        path = Path("imported.eval.yaml")
        spec = CheckSpec(
            name=made.name,
            params=made.params,
            dimension=made.dimension,
            location=Location(path=path),
            folder=path.parent,
            root=path.parent,
        )
        try:
            self.registry.bind(spec)
        except InputError as error:
            raise KeptError(error.problems[0].finding) from None
        return made


def _made(each: Asserted, test: Test) -> Sequence[Made]:
    if "{{" in said(each.value) and each.bare not in CODE:
        raise KeptError("its template could not be filled in")
    if each.bare in CODE:
        if each.bare not in {"javascript", "python"}:
            raise KeptError("code is not run")
        return coded(each)
    transform = transform_of(each.options, test.options)
    if family(each.kind) == "model":
        if transform:
            raise KeptError("it looks at a transformed answer")
        return judged(each)
    return transformed(each, transform) if transform else checks_of(each)


def _judge(given: JsonObject, options: JsonObject) -> str:
    for written in (given.get("provider"), options.get("provider")):
        inner = entries(written)
        name = inner.get("text", inner.get("id", written))
        name = entries(name).get("id", name)
        try:
            return model_name(said(name))
        except KeptError:
            continue
    return JUDGE
