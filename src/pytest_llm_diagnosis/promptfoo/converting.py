"""A promptfoo config to eval files and a variants file, as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_llm_diagnosis.checks import Registry
from pytest_llm_diagnosis.errors import InputError, Location
from pytest_llm_diagnosis.records import Dimension, Json, JsonObject
from pytest_llm_diagnosis.source import plain, read

from .asserting import Made
from .beside import Beside
from .counting import Tally
from .prompts import Filled, Prompt, filled, prompts_of
from .providers import APPLICATION, Provider, providers_of, tool_names
from .testing import Test, Tests
from .translating import Translated, Translator
from .values import Names, said, slug
from .writing import comment, item, yaml_text

VARIANTS = "llm_variants.yaml"
_MARK = "a guess, by what the assertions check: content or form"
_NO_CHECK = "no assertion of this test could be imported as a check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The files to write, by name, and what became of the config."""

    files: dict[str, str]
    tally: Tally
    cases: int
    skipped: int
    variants: int
    kept: tuple[str, ...]


def import_config(path: Path, registry: Registry) -> Imported:
    """Return what a promptfoo config becomes; nothing is run, fetched or written.

    Each prompt becomes an eval file, since every test is asked with every prompt.
    Only files below the config's folder are read.  Raises `InputError` when the
    config itself cannot be read or is not a mapping.
    """
    config = plain(read(path))
    if not isinstance(config, dict):
        finding = "not a promptfoo config: it must be a mapping"
        raise InputError.at(Location(path=path), finding, "with prompts and tests")
    beside = Beside(path.parent.resolve())
    return _Import(config, path, beside, registry).result()


class _Import:
    """One config on its way."""

    def __init__(
        self, config: JsonObject, path: Path, beside: Beside, registry: Registry
    ) -> None:
        self._path = path
        self._tests = Tests(config=config, beside=beside)
        self._providers = providers_of(config)
        self._tools = next((one.tools for one in self._providers if one.tools), ())
        self._prompts = prompts_of(config, beside)
        self._tally = Tally()
        self._translator = Translator(
            registry=registry,
            beside=beside,
            tally=self._tally,
            tools=tool_names(self._tools),
        )
        self._cases = self._skipped = 0

    def result(self) -> Imported:
        tests = self._tests.read()
        done = [(test, self._translator.translate(test)) for test in tests]
        self._count_unused()
        files = {}
        if tests:
            for prompt in self._prompts:
                files[self._file_name(prompt)] = self._eval_file(prompt, done)
        files[VARIANTS] = self._variants_file()
        kept = [*self._tests.kept]
        kept += [
            f"prompt {one.name}: {one.missing}" for one in self._prompts if one.missing
        ]
        kept += [
            f"provider {one.written}: {one.notes[0]}"
            for one in self._providers
            if not one.keys
        ]
        return Imported(
            files=files,
            tally=self._tally,
            cases=self._cases,
            skipped=self._skipped,
            variants=sum(bool(one.keys) for one in self._providers),
            kept=tuple(dict.fromkeys(kept)),
        )

    def _count_unused(self) -> None:
        for source, given in self._tests.assertions.items():
            if source not in self._tally.kinds:
                self._tally.saw(source, said(given.get("type", "(none)")))
                self._tally.kept(source, "no test that has it could be imported")

    def _file_name(self, prompt: Prompt) -> str:
        stem = slug(self._path.stem.removeprefix("promptfooconfig"), "promptfoo")
        if len(self._prompts) > 1:
            stem = f"{stem}.{prompt.name}"
        return f"{stem}.eval.yaml"

    def _eval_file(self, prompt: Prompt, done: list[tuple[Test, Translated]]) -> str:
        lines = [
            comment(
                f"Imported from {self._path.name} by `llm-diagnosis import promptfoo`."
                " What could not be expressed stands as a comment at its place."
                " Each mark is a guess, by what the assertions check: read them."
                " Facts are looked for in any form of answer; what promptfoo compares"
                " to the letter may so pass in another wrapping."
            )
        ]
        lines += [comment(f"Not imported: {kept}") for kept in self._tests.kept]
        if self._tools:
            lines.append(yaml_text({"defaults": {"tools": [*self._tools]}}))
        lines.append("cases:\n")
        names = Names()
        for test, translated in done:
            lines += self._case(prompt, test, translated, names)
        return "".join(lines)

    def _case(
        self, prompt: Prompt, test: Test, translated: Translated, names: Names
    ) -> Iterator[str]:
        self._cases += 1
        asked = filled(prompt, test.variables, test.options)
        keys: dict[str, Json] = {
            "id": names.unique(test.name),
            "mark": translated.mark,
            "cluster": test.group,
        }
        if reason := _why_skipped(prompt, asked, test, translated):
            self._skipped += 1
            keys["skip"] = reason
        if asked.turns:
            keys["messages"] = [*asked.turns]
        else:
            keys["prompt"] = asked.text or "(empty)"
        yield "\n"
        head = item(keys)
        mark = f"mark: {translated.mark}\n"
        yield head.replace(mark, f"{mark[:-1]}  # {_MARK}\n", 1)
        for left in asked.left:
            yield comment(f"left in the prompt: {left}", 4)
        for note in test.notes:
            yield comment(f"not kept: {note}", 4)
        yield from _checks(translated)
        yield from _kept(translated)

    def _variants_file(self) -> str:
        lines = [
            comment(
                f"Imported from {self._path.name}. No variant is the default, so a"
                " plain pytest makes no call: choose with --llm-variant=NAME."
            ),
            "variants:\n",
        ]
        lines += [part for one in self._providers for part in _variant(one)]
        if not any(one.keys for one in self._providers):
            lines.append(comment("no provider could be imported: name a model here", 2))
            lines.append(yaml_text({"application": {"call": APPLICATION}}, 2))
        return "".join(lines)


def _why_skipped(
    prompt: Prompt, asked: Filled, test: Test, translated: Translated
) -> str:
    """Return why a case cannot be asked yet, until its author mends it."""
    if prompt.missing:
        return f"the prompt could not be imported: {prompt.missing}"
    if test.missing:
        return f"a file could not be read: {test.missing}"
    if asked.left:
        return "the prompt holds a template that is still to be filled in"
    if translated.asks:
        return ""
    return _NO_CHECK if test.assertions else "the test asserts nothing"


def _checks(translated: Translated) -> Iterator[str]:
    headings: tuple[Dimension, ...] = ("facts", "form", "limits")
    for heading in headings:
        made = translated.checks[heading]
        if heading == "form" and not translated.asks:
            yield "    form:\n"
            yield comment("a stand-in, since a case needs a check", 6)
            yield item({"min_words": 1}, 6)
        elif made:
            yield f"    {heading}:\n"
            yield from map(_check, made)


def _check(made: Made) -> str:
    note = comment(made.note, 6) if made.note else ""
    if made.params is None:
        return f"{note}      - {made.name}\n"
    return note + item({made.name: made.params}, 6)


def _kept(translated: Translated) -> Iterator[str]:
    for assertion, reason in translated.kept:
        yield comment(f"kept from promptfoo: {reason}", 4)
        yield comment(yaml_text([assertion.given]), 4, wrap=False)


def _variant(one: Provider) -> Iterator[str]:
    for note in one.notes:
        yield comment(note, 2)
    if one.keys:
        yield yaml_text({one.name: one.keys}, 2)
    else:
        yield comment(f"kept from promptfoo: {one.written}", 2)
