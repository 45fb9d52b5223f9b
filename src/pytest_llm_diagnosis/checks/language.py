"""The check on the language of an answer, by py3langid (the extra `language`).

The detector is that of M. Lui and T. Baldwin, langid.py (2012).  It tells 97
languages and more apart without a network; here only those with a two-letter
code (ISO 639-1) take part, and neither Latin nor Volapuk: nobody expects them,
and English words of Latin origin are taken for it (`inscriptions`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_llm_diagnosis.errors import valid_choices
from pytest_llm_diagnosis.records import Answer, CheckSpec, Verdict

from . import parameters as read
from .protocol import BoundCheck, CheckType, Example
from .showing import shown, shown_answer

EXTRA = "language"
# The detector is sure long before; a megabyte would take it 0.3 s.
CONSIDERED = 20_000

LANGUAGES: Mapping[str, str] = {
    "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "az": "Azerbaijani",
    "be": "Belarusian", "bg": "Bulgarian", "bn": "Bengali", "br": "Breton",
    "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "eo": "Esperanto", "es": "Spanish", "et": "Estonian", "eu": "Basque",
    "fa": "Persian", "fi": "Finnish", "fo": "Faroese", "fr": "French",
    "ga": "Irish", "gl": "Galician", "gu": "Gujarati", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "ht": "Haitian Creole", "hu": "Hungarian",
    "hy": "Armenian", "id": "Indonesian", "is": "Icelandic", "it": "Italian",
    "ja": "Japanese", "jv": "Javanese", "ka": "Georgian", "kk": "Kazakh",
    "km": "Khmer", "kn": "Kannada", "ko": "Korean", "ku": "Kurdish",
    "ky": "Kyrgyz", "lb": "Luxembourgish", "lo": "Lao",
    "lt": "Lithuanian", "lv": "Latvian", "mg": "Malagasy", "mk": "Macedonian",
    "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay",
    "mt": "Maltese", "nb": "Norwegian Bokmal", "ne": "Nepali", "nl": "Dutch",
    "nn": "Norwegian Nynorsk", "no": "Norwegian", "oc": "Occitan", "or": "Odia",
    "pa": "Punjabi", "pl": "Polish", "ps": "Pashto", "pt": "Portuguese",
    "qu": "Quechua", "ro": "Romanian", "ru": "Russian", "rw": "Kinyarwanda",
    "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian",
    "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil",
    "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish",
    "ug": "Uyghur", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese",
    "wa": "Walloon", "xh": "Xhosa", "zh": "Chinese",
    "zu": "Zulu",
}  # fmt: skip

Detect = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language(BoundCheck):
    """The answer is in a language, as far as a detector can tell."""

    code: str
    detect: Detect

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `language:other`, or `language:empty` (no letters)."""
        text = answer.text[:CONSIDERED]
        wanted = LANGUAGES[self.code]
        if not any(map(str.isalpha, text)):
            told = f"too little text to tell, no letter in {shown_answer(answer)}"
            reason = f"expected {wanted}, found {told}"
            return self.failed("language:empty", reason)
        found = self.detect(text)
        if found == self.code:
            return self.passed()
        named = LANGUAGES.get(found, found)
        reason = f"expected {wanted}, found {named}: {shown_answer(answer)}"
        return self.failed("language:other", reason)

    def describe(self) -> str:
        """Ask for the language."""
        return f"Answer in {LANGUAGES[self.code]} and in no other language."


def types() -> tuple[CheckType, ...]:
    """Return the check of this module; its uses share one detector."""
    summary = (
        "The answer is in this language (a code of ISO 639-1; needs the extra "
        "language)."
    )
    opened = functools.lru_cache(maxsize=1)(_detector)

    def detect(text: str) -> str:
        return opened()(text)

    return (
        CheckType(
            name="language",
            summary=summary,
            parameters={"description": summary, **read.TEXT},
            bind=functools.partial(_bind, detect),
            example=Example(
                params="fr",
                passing=Answer(text="Vous avez quarante-cinq jours pour les rendre."),
                failing=Answer(text="You have forty-five days to return them."),
                code="language:other",
            ),
            dimensions=("form",),
            codes=("language:other", "language:empty"),
        ),
    )


def _bind(detect: Detect, spec: CheckSpec) -> Language:
    code = read.text(spec, spec.params, "the language")
    if code not in LANGUAGES:
        by_name = {name.lower(): each for each, name in LANGUAGES.items()}
        meant = by_name.get(code.lower())
        hint = f"write {meant}" if meant else valid_choices(code, [*LANGUAGES])
        raise read.wrong(spec, f"unknown language {shown(code)}", hint)
    read.need(spec, "py3langid", EXTRA)
    return Language(spec=spec, code=code, detect=detect)


def _detector() -> Detect:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    known = set(identifier.nb_classes)
    identifier.set_languages([code for code in LANGUAGES if code in known])
    return lambda text: str(identifier.classify(text)[0])
