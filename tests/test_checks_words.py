"""language, reading_level and house_words."""

from __future__ import annotations

from pathlib import Path

import pytest

from checking import REGISTRY, bound, graded, outcome, refusal, spec_of
from pytest_llm_diagnosis.checks.readability import grade_level, syllables
from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import Answer, Json

SPOKEN = {
    "en": "You can send the boots back within forty-five days.",
    "fr": "Vous pouvez renvoyer les bottes dans les quarante-cinq jours.",
    "de": "Sie k\u00f6nnen die Stiefel innerhalb von 45 Tagen zur\u00fcckschicken.",
    "es": "Puede devolver las botas en un plazo de cuarenta y cinco d\u00edas.",
    "ru": "\u0412\u044b \u043c\u043e\u0436\u0435\u0442\u0435 "
    "\u0432\u0435\u0440\u043d\u0443\u0442\u044c "
    "\u0431\u043e\u0442\u0438\u043d\u043a\u0438.",
    "ja": "\u9774\u306f\u56db\u5341\u4e94\u65e5\u4ee5\u5185\u306b\u8fd4\u54c1"
    "\u3067\u304d\u307e\u3059\u3002",
}


@pytest.mark.parametrize("code", SPOKEN)
@pytest.mark.parametrize("wanted", SPOKEN)
def test_language(code: str, wanted: str) -> None:
    """A sentence is of its own language and of no other."""
    told = outcome("language", wanted, SPOKEN[code], "form")
    assert told == (None if code == wanted else "language:other")


def test_a_language_in_capitals() -> None:
    """Capitals do not change the language."""
    assert outcome("language", "en", SPOKEN["en"].upper(), "form") is None


def test_no_language() -> None:
    """Figures are of no language."""
    verdict = graded("language", "en", "45", "form")
    assert verdict.code == "language:empty"
    assert "found too little text to tell, no letter in '45'" in verdict.reason


@pytest.mark.parametrize(
    ("params", "hint"), [("french", "write fr"), ("xx", "valid: "), ("En", "en")]
)
def test_an_unknown_language(params: str, hint: str) -> None:
    """Languages go by their code; a name is told its own."""
    problem = refusal("language", params, "form")
    assert "unknown language" in problem.finding
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("cat", 1), ("made", 1), ("boots", 1), ("asked", 1), ("wanted", 2),
        ("table", 2), ("makes", 1), ("boxes", 2), ("reading", 2), ("the", 1),
        ("administration", 5), ("rhythm", 1), ("be", 1), ("Tuesday", 2),
    ],
)  # fmt: skip
def test_syllables(word: str, count: int) -> None:
    """Groups of vowels count, a silent last one does not."""
    assert syllables(word) == count


def test_the_formula() -> None:
    """Five words of one syllable in one sentence: 0.39*5 + 11.8 - 15.59."""
    level = grade_level("The cat sat on it.")
    assert level == pytest.approx(0.39 * 5 + 11.8 - 15.59)
    assert grade_level("12, 13.") is None


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        (5, "The cat sat. The dog ran.", None),
        (5, "Considerable administrative difficulties arise.", "reading_level:over"),
        ({"at_least": 5}, "The cat sat.", "reading_level:under"),
        (5, "", "reading_level:empty"),
        (5, "# Unconditional\n\nThe cat sat. The dog ran. We all saw it.", None),
    ],
)
def test_reading_level(params: Json, text: str, code: str | None) -> None:
    """Short sentences and words are easy."""
    assert outcome("reading_level", params, text, "form") == code


@pytest.mark.parametrize(
    ("params", "text", "code"),
    [
        (["kindly", "please note"], "Send it back.", None),
        (["kindly", "please note"], "Kindly send it.", "house_words:avoided"),
        (["kindly", "please note"], "Please  *note* it.", "house_words:avoided"),
        (["kind"], "Kindly send it.", None),
        (["e-mail"], "Send an e-mail.", "house_words:avoided"),
        ({"prefer": {"utilise": "use"}}, "Utilise it.", "house_words:not_preferred"),
        ({"prefer": {"utilise": "use"}}, "Use it.", None),
        ({"avoid": ["it's"]}, "It\u2019s dry.", "house_words:avoided"),
    ],
)
def test_house_words(params: Json, text: str, code: str | None) -> None:
    """Whole words and phrases count, whatever their case and emphasis."""
    assert outcome("house_words", params, text, "form") == code


def test_house_words_in_a_file(tmp_path: Path) -> None:
    """A file lists a word a line, with the better one behind an arrow."""
    (tmp_path / "style.txt").write_text("# house\nkindly\nutilise -> use\n\n")
    check = REGISTRY.bind(spec_of("house_words", "style.txt", "form", tmp_path))
    verdict = check.grade(Answer(text="Kindly utilise the form."))
    assert verdict.reason == "expected no 'kindly', 'utilise' (write 'use')"
    assert '"use", not "utilise"' in check.describe()


def test_a_broken_file_of_words(tmp_path: Path) -> None:
    """The line at fault is named."""
    (tmp_path / "style.txt").write_text("fine\nutilise ->\n")
    with pytest.raises(InputError, match=r"style.txt:2: not a word to avoid"):
        REGISTRY.bind(spec_of("house_words", "style.txt", "form", tmp_path))


@pytest.mark.parametrize(
    ("name", "params", "finding"),
    [
        ("house_words", [], "must be text or a list"),
        ("house_words", {}, "needs words to avoid"),
        ("house_words", ["!"], "holds no word"),
        ("house_words", {"prefer": ["a"]}, "prefer must be a mapping"),
        ("house_words", "no_such.txt", "no_such.txt"),
        ("reading_level", {}, "needs at_most"),
        ("reading_level", {"at_least": 9, "at_most": 3}, "more than at_most"),
    ],
)
def test_parameters_that_cannot_work(name: str, params: Json, finding: str) -> None:
    """Each is an input error where the check stands."""
    assert finding in refusal(name, params, "form").finding


def test_descriptions() -> None:
    """They are instructions a prompt writer would give."""
    assert bound("language", "fr", "form").describe() == (
        "Answer in French and in no other language."
    )
    assert "grade 6" in bound("reading_level", 6, "form").describe()
    assert graded("reading_level", 1, "Administration.", "form").reason.startswith(
        "expected grade 1 at most, found "
    )
