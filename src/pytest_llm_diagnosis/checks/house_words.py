"""The check on a house's choice of words: house_words."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pytest_llm_diagnosis.errors import InputError, Location
from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .normalise import fold
from .protocol import BoundCheck, CheckType, Example
from .showing import LISTED, shown

_WORD = re.compile(r"\w+(?:['-]\w+)*")
_ARROW = "->"
_ASKED = 20

Words = tuple[str, ...]
Load = Callable[[Path], "tuple[Avoided, ...]"]


class Avoided(NamedTuple):
    """A word or phrase to avoid, as written, and what to write instead."""

    phrase: str
    instead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseWords(BoundCheck):
    """None of the words to avoid is used.

    `by_first` maps the first word of each phrase to all of its words and what
    it stands for.  Case, and the Markdown around a word, do not matter.
    """

    avoided: tuple[Avoided, ...]
    by_first: Mapping[str, Sequence[tuple[Words, Avoided]]]

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `house_words:avoided`, or `house_words:not_preferred`.

        The second is of a word that has a better one in its place.
        """
        found = list(dict.fromkeys(self._found(answer.text)))
        if not found:
            return self.passed()
        listed = ", ".join(map(_told, found[:LISTED]))
        rest = len(found) - LISTED
        more = f" and {rest:,} more" if rest > 0 else ""
        code = "not_preferred" if found[0].instead else "avoided"
        return self.failed(f"house_words:{code}", f"expected no {listed}{more}")

    def describe(self) -> str:
        """Tell the words, the first few when there are many."""
        first = self.avoided[:_ASKED]
        told = "; ".join(_asked(each) for each in first)
        return f"Mind the house style: {told}."

    def _found(self, text: str) -> Iterator[Avoided]:
        words = _words(text)
        for index, word in enumerate(words):
            for phrase, avoided in self.by_first.get(word, ()):
                if tuple(words[index : index + len(phrase)]) == phrase:
                    yield avoided


def types() -> tuple[CheckType, ...]:
    """Return the check of this module; files are read once."""
    summary = (
        "None of these words is used: a list, or a file of lines such as "
        "`utilise -> use`."
    )
    prefer: Json = {
        "description": "Words to avoid, this word form only (`utilise` is not "
        "`utilised`), each with the one to write instead.",
        "type": "object",
        "additionalProperties": read.TEXT,
    }
    keys: dict[str, Json] = {
        "avoid": read.described(
            read.TEXTS, "Words or phrases to avoid, in this form only."
        ),
        "prefer": prefer,
        "file": read.described(read.TEXT, "A file beside the eval file, as above."),
    }
    longhand = read.options("Words, with better ones.", keys)
    load = functools.lru_cache(maxsize=None)(_from_file)
    return (
        CheckType(
            name="house_words",
            summary=summary,
            parameters={
                "description": summary,
                "anyOf": [
                    read.described(read.TEXT, "A file beside the eval file."),
                    read.TEXTS,
                    {**longhand, "minProperties": 1},
                ],
            },
            bind=functools.partial(_bind, load),
            example=Example(
                params={"avoid": ["kindly"], "prefer": {"utilise": "use"}},
                passing=Answer(text="Please use the return form."),
                failing=Answer(text="Please utilise the return form."),
                code="house_words:not_preferred",
            ),
            dimensions=("form",),
            codes=("house_words:avoided", "house_words:not_preferred"),
        ),
    )


def _bind(load: Load, spec: CheckSpec) -> HouseWords:
    short = "file" if isinstance(spec.params, str) else "avoid"
    params = read.mapping(spec, short)
    avoided = tuple(_stated(spec, params, load))
    if not avoided:
        raise read.wrong(spec, "needs words to avoid")
    by_first: dict[str, list[tuple[Words, Avoided]]] = {}
    for each in avoided:
        words = _words(each.phrase)
        if not words:
            raise read.wrong(spec, f"{each.phrase!r} holds no word")
        by_first.setdefault(words[0], []).append((words, each))
    return HouseWords(spec=spec, avoided=avoided, by_first=by_first)


def _stated(
    spec: CheckSpec, params: Mapping[str, Json], load: Load
) -> Iterator[Avoided]:
    if "avoid" in params:
        for phrase in read.texts(spec, params["avoid"], "avoid"):
            yield Avoided(phrase, "")
    prefer = params.get("prefer", {})
    if not isinstance(prefer, Mapping):
        raise read.wrong(spec, f"prefer must be a mapping, not {prefer!r}")
    for phrase, instead in prefer.items():
        yield Avoided(phrase, read.text(spec, instead, f"prefer {phrase!r}"))
    if "file" in params:
        # Opening the source package loads yaml.
        from pytest_llm_diagnosis.source import inside

        written = read.text(spec, params["file"], "file")
        path = inside(
            written,
            folder=spec.folder,
            root=spec.root,
            location=spec.location,
            what="house_words",
        )
        yield from load(path)


def _from_file(path: Path) -> tuple[Avoided, ...]:
    from pytest_llm_diagnosis.source import read_text

    found = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        phrase, arrow, instead = map(str.strip, line.partition(_ARROW))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not _words(phrase) or (arrow and not instead):
            place = Location(path=path, line=number)
            hint = f"write `word` or `word {_ARROW} better word`"
            raise InputError.at(place, f"not a word to avoid: {shown(line)}", hint)
        found.append(Avoided(phrase, instead))
    return tuple(found)


def _words(text: str) -> Words:
    return tuple(_WORD.findall(fold(text)))


def _told(avoided: Avoided) -> str:
    instead = f" (write {shown(avoided.instead)})" if avoided.instead else ""
    return f"{shown(avoided.phrase)}{instead}"


def _asked(avoided: Avoided) -> str:
    if avoided.instead:
        return f'write "{avoided.instead}", not "{avoided.phrase}"'
    return f'do not write "{avoided.phrase}"'
