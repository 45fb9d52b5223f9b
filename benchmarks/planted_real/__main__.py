"""The diagnosis of a real model that was taught what it knows and how it answers.

    python -m benchmarks.planted_real WORK [--seeds 1 2 3] [--python PATH]

Three LoRA adapters for SmolLM2-135M-Instruct learn 24 facts of an invented company
in prose, a house JSON form, or both; the fourth model is the base, untouched: it
cannot know an invention, and its form is its own.  One suite of 24 knowledge and 24
behavior cases runs over the four, through pytest, with probes for all.  Why a case
must fail is known from what was taught.

Adapters and answers are kept in WORK, so an interrupted run goes on where it was.
`--python` is the interpreter of an environment with torch, transformers, peft and
gguf; without it `uv run` makes one from the trainer's own metadata.  About 15
minutes of two cores a seed, most of it training.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path

from example_suite.server import weights

from .company import draw_facts
from .running import Ran, run_suite
from .serving import served
from .suite_files import write_suite
from .tables import tables
from .teaching import TAUGHT, UNTAUGHT, Trainer, told


def main() -> None:
    """Train, run and print, one seed after the other."""
    options = _options()
    command = (options.python,) if options.python else ("uv", "run", "--script")
    trainer = Trainer(command=command, weights=weights())
    runs: list[Ran] = []
    for seed in options.seeds:
        began = time.monotonic()
        folder = (options.work / f"seed{seed}").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        runs.append(_one_seed(trainer, folder, seed))
        print(f"seed {seed}: {time.monotonic() - began:.0f} s", flush=True)
    learned = [_learned(options.work / f"seed{seed}") for seed in options.seeds]
    print("\n".join(tables(options.seeds, runs, learned)))
    _write(options.work / "results.json", options.seeds, runs, learned)


def _one_seed(trainer: Trainer, folder: Path, seed: int) -> Ran:
    facts = draw_facts(seed)
    adapters: dict[str, Path | None] = {UNTAUGHT: None}
    for model in TAUGHT:
        adapters[model] = trainer.teach(model, facts, seed, folder)
    write_suite(folder, facts)
    with served(adapters) as urls:
        return run_suite(folder, urls, seed)


def _learned(folder: Path) -> dict[str, dict[str, object]]:
    return {model: dict(told(model, folder)) for model in (UNTAUGHT, *TAUGHT)}


def _write(
    path: Path,
    seeds: Sequence[int],
    runs: Sequence[Ran],
    learned: Sequence[dict[str, dict[str, object]]],
) -> None:
    found = [
        {
            "seed": seed,
            "learned": lessons,
            "models": [dataclasses.asdict(model) for model in run.models],
            "marks": dict(run.marks),
            "calls": run.calls,
            "probe_calls": run.probe_calls,
        }
        for seed, run, lessons in zip(seeds, runs, learned, strict=True)
    ]
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="ascii")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("work", type=Path, help="a folder for adapters and answers")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--python", help="of an environment that can train")
    return parser.parse_args()


if __name__ == "__main__":
    main()
