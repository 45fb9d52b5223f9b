"""Answers that were paid for, kept.

`AnswerStore` keeps them across runs and processes in a SQLite file;
`MemoryStore` stands in when that file cannot be used.  A `Recording` is the
same for replay: a text file that lives in git.  `KeptVectors` are the vectors
of what is searched, and of the questions.
"""

from __future__ import annotations

from .answers import AnswerStore
from .grouped import GroupedStore
from .memory import MemoryStore
from .protocol import Claim, Store
from .recordings import Entry, Recording, load_recording, recording_path
from .vectors import KeptVectors
from .writing import recorded_lines, write_lines, write_recording

__all__ = [
    "AnswerStore",
    "Claim",
    "Entry",
    "GroupedStore",
    "KeptVectors",
    "MemoryStore",
    "Recording",
    "Store",
    "load_recording",
    "recorded_lines",
    "recording_path",
    "write_lines",
    "write_recording",
]
