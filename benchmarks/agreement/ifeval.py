"""IFEval: our checks against the official strict and loose verdicts.

Each of its 25 kinds of instruction is written as checks of ours in an eval
file, as a user would write them.  Even rows were developed on, odd rows not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from pytest_llm_diagnosis.records import Answer, Json, JsonObject

from .halves import json_lines
from .suites import Suite, form_suite

NAME = "ifeval"
READINGS = ("strict", "loose")
_HALVES = ("even", "odd")

Checks = Sequence[JsonObject]
Write = Callable[[JsonObject], Checks]


# What the graders differ in, found by reading each of the disagreements.
_DETECTORS = (
    "two language detectors on a few words, or on words of two languages; the "
    "official one draws at random"
)
_WHY: Mapping[str, str] = {
    "change_case:english_capital": _DETECTORS,
    "change_case:english_lowercase": _DETECTORS,
    "language:response_language": _DETECTORS,
    "detectable_format:number_bullet_lists": (
        "there any line that begins with a star or a dash is a bullet: `*(Verse 1)*`, "
        "and lines within a code fence"
    ),
    "keywords:letter_frequency": (
        "there a letter drawn at random takes the place of a sign such as # or !"
    ),
    "length_constraints:nth_paragraph_first_word": (
        "there a blank paragraph is not counted, but moves the number of those behind"
    ),
    "length_constraints:number_sentences": (
        "there the number of a list's item is a sentence of its own"
    ),
}


class Verdict(NamedTuple):
    """One official verdict beside ours."""

    kind: str
    reading: str
    half: str
    place: str
    official: bool
    ours: bool | None
    reason: str


def run(data: Path) -> Iterator[str]:
    """Yield the agreement by kind and half, then every disagreement."""
    verdicts = list(_verdicts(data / "ifeval"))
    kinds = sorted({verdict.kind for verdict in verdicts})
    yield f"{'kind':<45} {'strict':>18} {'loose':>18}"
    for kind in kinds:
        yield _line(kind, [v for v in verdicts if v.kind == kind])
    for half in _HALVES:
        yield _line(f"all, {half} rows", [v for v in verdicts if v.half == half])
    yield _line("all", verdicts)
    for verdict in verdicts:
        if verdict.ours is not verdict.official:
            told = f"official {verdict.official}, ours {verdict.ours}"
            yield f"{verdict.kind} {verdict.reading} {verdict.place}: {told}"
            yield f"    {verdict.reason}"
            yield f"    why: {_WHY.get(verdict.kind, 'not explained')}"


def _line(name: str, verdicts: Sequence[Verdict]) -> str:
    shares = []
    for reading in READINGS:
        agree = Counter(v.ours is v.official for v in verdicts if v.reading == reading)
        total = agree.total()
        shares.append(f"{agree[True]}/{total} {100 * agree[True] / total:6.2f}%")
    return f"{name:<45} {shares[0]:>18} {shares[1]:>18}"


def _verdicts(folder: Path) -> Iterator[Verdict]:
    for path in sorted(folder.glob("*.jsonl")):
        given = json_lines(path)
        suite = form_suite(_forms(given))
        for number, row in enumerate(given):
            yield from _row(path.stem, number, row, suite)


def _row(model: str, number: int, row: JsonObject, suite: Suite) -> Iterator[Verdict]:
    answer = Answer(text=str(row["response"] or ""))
    names = cast("Sequence[str]", row["instruction_id_list"])
    for index, name in enumerate(names):
        for reading in READINGS:
            grade = suite.grade(f"{number}.{index}.{reading}", answer)
            # An answer of nothing follows no instruction there.
            ours = grade.all_passed if answer.text.strip() else False
            first = next((v for v in grade.verdicts if not v.passed), None)
            yield Verdict(
                kind=name.partition(":")[2],
                reading=reading,
                half=_HALVES[number % 2],
                place=f"{model[:12]} row {number}",
                official=bool(cast("Sequence[bool]", row[reading])[index]),
                ours=ours,
                reason=first.reason if first else repr(answer.text[:160]),
            )


def _forms(given: Sequence[JsonObject]) -> Mapping[str, Checks]:
    forms: dict[str, Checks] = {}
    for number, row in enumerate(given):
        names = cast("Sequence[str]", row["instruction_id_list"])
        kwargs = cast("Sequence[JsonObject]", row["kwargs"])
        for index, (name, stated) in enumerate(zip(names, kwargs, strict=True)):
            checks = _WRITE[name.partition(":")[2]](stated)
            forms[f"{number}.{index}.strict"] = checks
            forms[f"{number}.{index}.loose"] = [
                {**check, "loose": True} for check in checks
            ]
    return forms


def _bounds(stated: JsonObject, number: str, relation: str = "relation") -> JsonObject:
    wanted = cast("int", stated[number])
    if stated[relation] == "less than":
        return {"at_most": wanted - 1}
    return {"at_least": wanted}


def _one(name: str, value: Json) -> Checks:
    return [{name: value}]


def _words(stated: JsonObject) -> Checks:
    bounds = _bounds(stated, "num_words")
    if "at_most" in bounds:
        return _one("max_words", {"words": bounds["at_most"], "parts": True})
    return _one("min_words", {"words": bounds["at_least"], "parts": True})


def _first_word(stated: JsonObject) -> Checks:
    paragraphs: JsonObject = {
        "exactly": stated["num_paragraphs"],
        "number": stated["nth_paragraph"],
        "first_word": stated["first_word"],
    }
    return _one("paragraphs", paragraphs)


def _folded(text: Json) -> JsonObject:
    return {"text": text, "ignore_case": True}


_WRITE: Mapping[str, Write] = {
    "change_case:capital_word_frequency": lambda stated: _one(
        "capital_words", _bounds(stated, "capital_frequency", "capital_relation")
    ),
    "change_case:english_capital": lambda _: [
        {"letter_case": "upper"},
        {"language": "en"},
    ],
    "change_case:english_lowercase": lambda _: [
        {"letter_case": "lower"},
        {"language": "en"},
    ],
    "combination:repeat_prompt": lambda stated: _one(
        "starts_with", _folded(str(stated["prompt_to_repeat"]).strip())
    ),
    "combination:two_responses": lambda _: _one(
        "paragraphs", {"exactly": 2, "separator": "******", "different": True}
    ),
    "detectable_content:number_placeholders": lambda stated: _one(
        "placeholders", {"at_least": stated["num_placeholders"]}
    ),
    "detectable_content:postscript": lambda stated: _one(
        "postscript", stated["postscript_marker"]
    ),
    "detectable_format:constrained_response": lambda _: _one(
        "contains_any",
        [f"My answer is {word}." for word in ("yes", "no", "maybe")],
    ),
    "detectable_format:json_format": lambda _: _one(
        "parses_as", {"format": "json", "fence": "allowed"}
    ),
    "detectable_format:multiple_sections": lambda stated: _one(
        "sections",
        {"marker": stated["section_spliter"], "at_least": stated["num_sections"]},
    ),
    "detectable_format:number_bullet_lists": lambda stated: _one(
        "bullets", stated["num_bullets"]
    ),
    "detectable_format:number_highlighted_sections": lambda stated: _one(
        "highlights", {"at_least": stated["num_highlights"]}
    ),
    "detectable_format:title": lambda _: _one("title", {"open": "<<", "close": ">>"}),
    "keywords:existence": lambda stated: _one("contains", _folded(stated["keywords"])),
    "keywords:forbidden_words": lambda stated: _one(
        "excludes", {**_folded(stated["forbidden_words"]), "whole_words": True}
    ),
    "keywords:frequency": lambda stated: _one(
        "occurrences",
        {**_folded(stated["keyword"]), **_bounds(stated, "frequency")},
    ),
    "keywords:letter_frequency": lambda stated: _one(
        "occurrences",
        {
            **_folded(stated["letter"]),
            **_bounds(stated, "let_frequency", "let_relation"),
        },
    ),
    "language:response_language": lambda stated: _one("language", stated["language"]),
    "length_constraints:nth_paragraph_first_word": _first_word,
    "length_constraints:number_paragraphs": lambda stated: _one(
        "paragraphs", {"exactly": stated["num_paragraphs"], "separator": "***"}
    ),
    "length_constraints:number_sentences": lambda stated: _one(
        "sentences", _bounds(stated, "num_sentences")
    ),
    "length_constraints:number_words": _words,
    "punctuation:no_comma": lambda _: _one("excludes", ","),
    "startend:end_checker": lambda stated: _one(
        "ends_with", _folded(str(stated["end_phrase"]).strip())
    ),
    "startend:quotation": lambda _: _one("quoted", None),
}
