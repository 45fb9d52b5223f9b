"""The circumstances under which the work is done."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .server import Behaviour
from .work import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One table.

    `before` is a run that goes first, unmeasured, in the same folder.  `prompts`
    and `in_flight` take the place of the command line's.  `needs_all_in_flight`
    leaves out peers that cannot be told how many calls to keep in flight.
    """

    name: str
    title: str
    behaviour: Behaviour = field(default_factory=Behaviour)
    phase: Phase = "fresh"
    before: Phase | None = None
    prompts: int | None = None
    in_flight: int | None = None
    needs_all_in_flight: bool = False

    @property
    def calls(self) -> bool:
        """Whether the measured run makes calls, so that their time is the floor."""
        return self.phase == "fresh"

    def floor(self, prompts: int, in_flight: int) -> float:
        """Return the seconds that calls take at least.

        Full waves of calls, as many as it takes with the share that fails, or the
        prompts at the limit's rate.
        """
        waves = math.ceil(prompts / (1 - self.behaviour.errors) / in_flight)
        limited = prompts / self.behaviour.limit if self.behaviour.limit else 0.0
        return max(waves * self.behaviour.latency, limited)


SCENARIOS = (
    Scenario(name="plain", title="first run"),
    Scenario(name="errors-5", title="5% HTTP 500", behaviour=Behaviour(errors=0.05)),
    Scenario(name="errors-30", title="30% HTTP 500", behaviour=Behaviour(errors=0.30)),
    Scenario(
        name="limit",
        title="50 requests a second, above that 429 with Retry-After",
        behaviour=Behaviour(limit=50),
    ),
    Scenario(name="second", title="second run", before="fill", phase="stored"),
    Scenario(name="replay", title="from recordings", before="record", phase="replay"),
    Scenario(name="collect", title="listed (as answered), not run", phase="collect"),
    Scenario(name="hundred", title="100 prompts", prompts=100),
    Scenario(
        name="wide", title="256 in flight", in_flight=256, needs_all_in_flight=True
    ),
    Scenario(name="many", title="10,000 prompts", prompts=10_000),
)
