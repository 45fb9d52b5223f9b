"""The same work for this plugin and for what a user would pick instead.

    python -m benchmarks.peers [--only NAMES] [--scenario NAMES] [--repeat N]

A thousand prompts with one check each, 64 calls in flight, against one mock
server that answers after 200 ms.  Peers are installed once, each into its own
environment; runs go one after the other, each a whole process with its start,
imports and report.  Retries, caches and logs are as each peer has them by
itself, except that the first run has no cache to read.

wall, CPU, MiB     of all its processes together, see `measuring`
answered, passed   prompts that the peer has an answer for, and graded as right
received, paid     requests at the server, and answers that it gave; `twice` are
                   those to a prompt that already had one
in flight, server  the most calls at a time, and the server's share of one core
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .adapters.deepeval import deepeval
from .adapters.floors import EmptyItems, bare_client
from .adapters.inspect_ai import InspectAi
from .adapters.lm_eval import LmEval
from .adapters.ours import Ours
from .adapters.promptfoo import Promptfoo
from .adapters.pydantic_evals import pydantic_evals
from .adapters.pytest_clients import PytestClient
from .environments import default_folder
from .peer import Peer
from .running import Bench, Size
from .scenarios import SCENARIOS, Scenario
from .serving import mock_server
from .table import EMPTY, FLOORS, Outcome, table
from .work import UnavailableError


def peers(environments: Path) -> list[Peer]:
    """Return all peers, floors first."""
    return [
        EmptyItems(),
        bare_client(),
        Ours(),
        pydantic_evals(environments / "pydantic-evals"),
        deepeval(environments / "deepeval"),
        Promptfoo(environments / "promptfoo"),
        LmEval(environments / "lm-eval"),
        InspectAi(environments / "inspect-ai"),
        PytestClient("openai", environments / "pytest-openai"),
        PytestClient("litellm", environments / "pytest-litellm"),
    ]


def main() -> None:
    """Install, try, measure and print."""
    options = _options()
    everyone = peers(options.envs.resolve())
    # The reference of runs without calls goes along whatever is chosen.
    wanted = [*options.only, EMPTY] if options.only else [one.name for one in everyone]
    chosen = [one for one in everyone if one.name in wanted]
    with mock_server() as server:
        bench = Bench(server, options.keep)
        unable = _try_out(bench, chosen, options.limit)
        for scenario in SCENARIOS:
            if not options.scenario or scenario.name in options.scenario:
                _one_table(bench, scenario, chosen, unable, options)


def _try_out(bench: Bench, chosen: Sequence[Peer], limit: float) -> dict[str, str]:
    """Install and try each peer; print versions, return why some cannot run."""
    unable = {}
    for peer in chosen:
        try:
            print(f"{peer.name}: {peer.install()}", flush=True)
            bench.trial(peer, limit)
        except UnavailableError as error:
            unable[peer.name] = str(error)
            print(f"{peer.name}: skipped: {error}", flush=True)
    return unable


def _one_table(
    bench: Bench,
    scenario: Scenario,
    chosen: Sequence[Peer],
    unable: dict[str, str],
    options: argparse.Namespace,
) -> None:
    size = Size(
        scenario.prompts or options.prompts,
        scenario.in_flight or options.in_flight,
        options.limit,
    )
    outcomes = {peer.name: Outcome([], unable.get(peer.name, "")) for peer in chosen}
    # In turn, so that a slow minute of the machine hits everyone.
    for _ in range(options.repeat):
        for peer in chosen:
            if not outcomes[peer.name].skipped:
                outcomes[peer.name] = _once_more(
                    bench, peer, scenario, size, outcomes[peer.name]
                )
    idle = {peer.name for peer in chosen if _is_beside_the_point(peer, scenario)}
    shown = {name: one for name, one in outcomes.items() if name not in idle}
    print()
    print(*table(scenario, size, shown), f"load {_load()}", sep="\n", flush=True)


def _once_more(
    bench: Bench, peer: Peer, scenario: Scenario, size: Size, outcome: Outcome
) -> Outcome:
    began = time.perf_counter()
    try:
        ran = bench.run(peer, scenario, size)
    except UnavailableError as error:
        return Outcome([], str(error))
    took = time.perf_counter() - began
    print(f"[{scenario.name} {peer.name} {took:.0f} s]", file=sys.stderr, flush=True)
    return Outcome([*outcome.runs, ran])


def _is_beside_the_point(peer: Peer, scenario: Scenario) -> bool:
    """Say whether a row would only repeat that a floor is one of something else."""
    return peer.name in FLOORS and scenario.phase not in peer.phases


def _load() -> str:
    one, five, _ = os.getloadavg()
    return f"{one:.1f} over the last minute, {five:.1f} over five"


def _options() -> argparse.Namespace:
    text = __doc__ or ""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = [one.name for one in peers(Path())]
    scenarios = [one.name for one in SCENARIOS]
    parser.add_argument("--only", type=_names(known), help=", ".join(known))
    parser.add_argument("--scenario", type=_names(scenarios), help=", ".join(scenarios))
    parser.add_argument("--prompts", type=int, default=1_000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=1, help="runs a row")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds a run")
    parser.add_argument(
        "--envs", type=Path, default=default_folder(), help="where peers are installed"
    )
    parser.add_argument("--keep", type=Path, help="keep what runs wrote and printed")
    return parser.parse_args()


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        if wrong := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{wrong[0]!r} is none of {known}")
        return names

    return parse


if __name__ == "__main__":
    main()
