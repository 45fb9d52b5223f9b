"""What became of each assertion of a config."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Assertions by where they are written: their kind, and why one was kept.

    An assertion that several cases share counts once, and as kept when it is
    kept in one of them.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def saw(self, source: str, kind: str) -> None:
        """Count an assertion."""
        self.kinds[source] = kind

    def kept(self, source: str, reason: str) -> None:
        """Count it among those that stayed comments."""
        self.reasons.setdefault(source, reason)

    def totals(self) -> Counter[str]:
        """Return how many there are of each kind."""
        return Counter(self.kinds.values())

    def expressed(self) -> Counter[str]:
        """Return how many of each kind became checks."""
        return Counter(
            kind for source, kind in self.kinds.items() if source not in self.reasons
        )

    def why(self) -> Counter[tuple[str, str]]:
        """Return how many were kept, by kind and reason."""
        return Counter(
            (self.kinds[source], reason)
            for source, reason in self.reasons.items()
            if source in self.kinds
        )
