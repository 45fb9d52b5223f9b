"""deepeval: answers from the user's code, then `evaluate` with a metric of one line."""

from __future__ import annotations

from pathlib import Path

from .scripts import ScriptPeer

# Its documentation leaves the calls to the user: `actual_output` is given.  They
# go out 64 at a time through AsyncOpenAI with its own retries, and the metric is
# its "custom metric" page's.  Its cache keeps grades, not answers, and is off, which
# is to its favour: by default it is written, a file rewritten for each grade.
_SCRIPT = """\
import asyncio, json, sys
from deepeval import evaluate
from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase
from openai import AsyncOpenAI

url, in_flight = sys.argv[1], int(sys.argv[2])
rows = json.load(open("rows.json"))

class Contains(BaseMetric):
    threshold = 1.0

    def measure(self, test_case, *args, **kwargs):
        self.score = float(test_case.expected_output in test_case.actual_output)
        self.success = self.score >= self.threshold
        return self.score

    async def a_measure(self, test_case, *args, **kwargs):
        return self.measure(test_case)

    def is_successful(self):
        return self.success

    @property
    def __name__(self):
        return "Contains"

async def ask(client, gate, prompt):
    async with gate:
        reply = await client.chat.completions.create(
            model="mock", messages=[{"role": "user", "content": prompt}]
        )
    return reply.choices[0].message.content

async def ask_all():
    client, gate = AsyncOpenAI(base_url=url), asyncio.Semaphore(in_flight)
    asked = (ask(client, gate, row["prompt"]) for row in rows)
    return await asyncio.gather(*asked, return_exceptions=True)

answers = asyncio.run(ask_all())
cases = [
    LLMTestCase(input=row["prompt"], actual_output=answer, expected_output=row["code"])
    for row, answer in zip(rows, answers)
    if isinstance(answer, str)
]
ended = evaluate(
    cases,
    [Contains()],
    async_config=AsyncConfig(max_concurrent=in_flight),
    cache_config=CacheConfig(write_cache=False, use_cache=False),
    # It would ask on a terminal whether to open its viewer.
    display_config=DisplayConfig(show_indicator=False, inspect_after_run=False),
)
results = [{"answered": True, "passed": one.success} for one in ended.test_results]
json.dump(results, open("results.json", "w"))
"""


def deepeval(folder: Path) -> ScriptPeer:
    """Return the peer."""
    return ScriptPeer(
        name="deepeval",
        packages=("deepeval", "openai"),
        script=_SCRIPT,
        folder=folder,
        # It would call home over a network that a benchmark must not wait for.
        environment={"DEEPEVAL_TELEMETRY_OPT_OUT": "YES"},
    )
