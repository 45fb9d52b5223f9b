"""Eval files to cases.

`defaults` stands below every case: a key that a case does not give is taken
from there.  Mappings of settings (`params`, `limits`) are merged key by key;
everything else, lists included, is replaced as a whole.  A case that gives
`prompt` is not bothered by default `messages`, nor the other way round.

With `each` a case stands for one case per row, and `{column}` is filled in
wherever the case has text; `{{` and `}}` are braces.  Text that comes from
`defaults` serves other cases too: there only the names of columns are filled
in, and every other brace is a brace.  A text that is nothing but one column
keeps the value's type, unless the place wants another: a CSV cell becomes a
number where only a number will do, a JSON number becomes text in an `id`.
"""

from __future__ import annotations

from .loading import Checks, Loaded, load_cases, read_cases

__all__ = ["Checks", "Loaded", "load_cases", "read_cases"]
