"""pydantic-evals: a dataset, a task function, its own `Contains` evaluator."""

from __future__ import annotations

from pathlib import Path

from .scripts import ScriptPeer

# `evaluate_sync`, `max_concurrency` and `report.print` are its documentation's.
# The task calls AsyncOpenAI, its lightest documented client, with that client's
# own retries as they come; `retry_task` is off unless asked for, and so it is
# here.  No progress bar: no peer draws one into a file.
_SCRIPT = """\
import json, sys
from openai import AsyncOpenAI
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import Contains

url, in_flight = sys.argv[1], int(sys.argv[2])
rows = json.load(open("rows.json"))
client = AsyncOpenAI(base_url=url)

async def ask(prompt: str) -> str:
    reply = await client.chat.completions.create(
        model="mock", messages=[{"role": "user", "content": prompt}]
    )
    return reply.choices[0].message.content

dataset = Dataset(
    name="items",
    cases=[
        Case(
            name=f"item-{row['number']}",
            inputs=row["prompt"],
            evaluators=[Contains(value=row["code"])],
        )
        for row in rows
    ],
)
report = dataset.evaluate_sync(ask, max_concurrency=in_flight, progress=False)
report.print()
results = [
    {
        "answered": bool(case.output),
        "passed": all(one.value for one in case.assertions.values()),
    }
    for case in report.cases
]
json.dump(results, open("results.json", "w"))
"""


def pydantic_evals(folder: Path) -> ScriptPeer:
    """Return the peer."""
    return ScriptPeer(
        name="pydantic-evals",
        packages=("pydantic-evals", "openai"),
        script=_SCRIPT,
        folder=folder,
    )
