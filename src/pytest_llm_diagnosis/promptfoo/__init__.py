"""promptfoo configs to eval files and variants.

Prompts, providers, vars, tests and assertions are translated; what cannot be
expressed stays as a comment at its place and is counted.  Nothing is run or
fetched, and only files below the config's folder are read.
"""

from __future__ import annotations

from .asserting import family
from .converting import Imported, import_config
from .wording import summary

__all__ = ["Imported", "family", "import_config", "summary"]
