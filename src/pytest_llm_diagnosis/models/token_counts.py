"""How many tokens a text has: counted where that can be done, else estimated.

litellm's own counter is as good, but comes with litellm's import of seconds.  Its
package holds the tables of OpenAI's tokenizers, so that tiktoken needs no network.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from pathlib import Path

from .model_list import model_entry

# The names under which tiktoken looks for its tables in a folder.
_TABLES: Mapping[str, str] = {
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
}
_FOLDER = "TIKTOKEN_CACHE_DIR"

_PIECE = re.compile(
    r"(?P<word>[A-Za-z]+)"
    r"|(?P<number>[0-9]+)"
    r"|(?P<line>\n+)"
    r"|(?P<space>[^\S\n]+)"
    r"|(?P<mark>[!-/:-@\[-`{-~]+)"
    r"|(?P<latin>[\u0080-\u024f\u1e00-\u1eff]+)"
    r"|(?P<letters>[\u0370-\u1cff]+)"
    r"|."
)
_SLICES = 20
_SLICE = 5_000
"""Of a text longer than so many slices of so many characters these are looked at."""


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has, for any of today's tokenizers.

    How far it is off stands at `ESTIMATE_FACTOR`.
    """
    if len(text) <= _SLICES * _SLICE:
        return round(_weight(text))
    step = len(text) // _SLICES
    looked_at = sum(
        _weight(text[number * step : number * step + _SLICE])
        for number in range(_SLICES)
    )
    return round(looked_at * len(text) / (_SLICES * _SLICE))


def _weight(text: str) -> float:
    weight = 0.0
    for piece in _PIECE.finditer(text):
        length = piece.end() - piece.start()
        match piece.lastgroup:
            case "word":
                weight += 1 + max(0, length - 6) / 6
            case "number":
                weight += -(-length // 3)
            case "space":
                # A single space belongs to the word behind it.
                weight += length > 1
            case "mark":
                weight += min((length + 1) // 2, 1 + length / 8)
            case "latin":
                weight += 0.9 * length
            case "letters":
                weight += 0.4 * length
            case _:
                weight += 1
    return weight


def openai_tokens(text: str, model: str) -> int | None:
    """Return the tokens that a model of OpenAI counts; None of any other model.

    `model` is named as litellm names it.  It takes 0.7 s to load a table.
    """
    entry = model_entry(model) or {}
    folder = _tables()
    if entry.get("litellm_provider") not in ("openai", "azure") or folder is None:
        return None
    try:
        import tiktoken

        name = tiktoken.encoding_name_for_model(model.rpartition("/")[2])
    except (ImportError, KeyError):
        return None
    if name not in _TABLES or not (folder / _TABLES[name]).is_file():
        return None
    # litellm does the same; without it tiktoken would ask the network.
    os.environ.setdefault(_FOLDER, str(folder))
    return len(tiktoken.get_encoding(name).encode(text, disallowed_special=()))


def _tables() -> Path | None:
    """Return the folder of tiktoken's tables: the user's own, else litellm's."""
    stated = os.environ.get(_FOLDER)
    if stated:
        return Path(stated)
    spec = importlib.util.find_spec("litellm")
    folders = (spec.submodule_search_locations if spec else None) or ()
    found = (Path(folder) / "litellm_core_utils" / "tokenizers" for folder in folders)
    return next((folder for folder in found if folder.is_dir()), None)
