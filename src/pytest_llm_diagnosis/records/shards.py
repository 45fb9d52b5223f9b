"""Which part of a suite a run takes: `--llm-shard 2/3`.

A case belongs to a shard by a digest of its node id, so adding one moves no
other, and every machine agrees.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

_WRITTEN = re.compile(r"(\d{1,9}(?:,\d{1,9})*)/(\d{1,9})", re.ASCII)
_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """The shards `numbers` (from 1) of `of`; a run takes one, a merge several."""

    numbers: tuple[int, ...]
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return what `2/3` or `1,3/3` says; raises `ValueError`."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not I/N")
        numbers = sorted(set(map(int, match[1].split(","))))
        of = int(match[2])
        if not 1 <= numbers[0] <= numbers[-1] <= of:
            raise ValueError(f"{text!r} is not between 1/{of} and {of}/{of}")
        return cls(numbers=tuple(numbers), of=of)

    @classmethod
    def joined(cls, shards: Iterable[Shard]) -> Shard:
        """Return several shards of the same whole as one."""
        parts = list(shards)
        numbers = sorted(number for part in parts for number in part.numbers)
        return cls(numbers=tuple(numbers), of=parts[0].of)

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers that make it whole."""
        return tuple(n for n in range(1, self.of + 1) if n not in self.numbers)

    def holds(self, case: str) -> bool:
        """Whether a case, given as its node id without the variant, belongs here."""
        digest = hashlib.sha256(case.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:_BYTES]) % self.of + 1 in self.numbers

    def __str__(self) -> str:
        """Return it as written."""
        return f"{','.join(map(str, self.numbers))}/{self.of}"
