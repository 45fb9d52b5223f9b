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
        limit, window = self.behaviour.limit, self.behaviour.window
        limited = prompts * window / limit if limit else 0.0
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
    # Providers that state a limit a minute hold it in shorter steps.  A crowd that
    # comes back all at once after Retry-After then meets the limit again.
    Scenario(
        name="limit-even",
        title="50 requests a second, held as 5 in any tenth of a second",
        behaviour=Behaviour(limit=5, window=0.1),
    ),
    Scenario(name="second", title="second run", before="fill", phase="stored"),
    Scenario(name="replay", title="from recordings", before="record", phase="replay"),
    Scenario(name="collect", title="listed (as answered), not run", phase="collect"),
    Scenario(name="hundred", title="a small suite", prompts=100),
    Scenario(
        name="wide",
        title="more calls at a time",
        in_flight=256,
        needs_all_in_flight=True,
    ),
    Scenario(name="many", title="a large suite", prompts=10_000),
)
