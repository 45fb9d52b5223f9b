"""The suite that `llm-diagnosis init` writes: it runs at once, without a key."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

_CASES = """\
# What is asked, and what the answer must say (facts) and look like (form).
# The checks are listed in docs/checks.md of pytest-llm-diagnosis.
cases:
  - id: boots-window
    mark: knowledge          # you think it tests what the model knows
    prompt: How many days do customers have to return unworn boots?
    evidence: docs/returns.md#unworn-goods
    facts:
      - number: {value: 45, unit: days}
    ideal: 45 days from delivery.

  - id: torn-boots
    mark: behavior           # you think it tests how the model answers
    prompt: "Log this: my boots arrived torn and I leave tomorrow."
    evidence: docs/returns.md#damaged-goods
    instruction: >-
      Answer with one JSON object and nothing else:
      {"category": "damaged" or "late", "urgent": true or false}
    facts:
      - json_value: {path: $.urgent, equals: true}
    form:
      - json
    ideal: '{"category": "damaged", "urgent": true}'
"""

_DOCUMENT = """\
# Returns

## Unworn goods

Unworn boots may be returned within 45 days of delivery.

## Damaged goods

Goods that arrive damaged are replaced. Who leaves soon is urgent.
"""

_VARIANTS = """\
# A plain `pytest` runs the default; pytest --llm-variant=model,rag runs others.
default: scripted
variants:
  # Answers from a file, so that all of this runs before you have a key.
  # It answers as a model would that knows nothing of your documents.
  scripted: {script: answers.yaml}

  # The same, shown the passages that a search in docs/ finds.
  scripted_rag:
    extends: scripted
    retrieve: {documents: "docs/**/*.md", top_k: 1}

  # A real model, by litellm's name for it. Its key stands in OPENAI_API_KEY.
  model:
    model: openai/gpt-4.1-mini
    params: {temperature: 0, max_tokens: 200}

  rag:
    extends: model
    retrieve: {documents: "docs/**/*.md", top_k: 2}

  # Your own application: answer(request) in assistant.py.
  # app: {call: "assistant:answer"}
"""

_ANSWERS = """\
# The first rule that matches answers. Delete this file with the variants that
# name it, once you ask a real model.
rules:
  - {contains: within 45 days, text: You have 45 days.}
  - {contains: How many days, text: You have 30 days.}
  - matches: one JSON object
    text: '{"category": "damaged", "urgent": true}'
  - {text: I am sorry to hear that! I have logged it for you.}
"""

_WORKFLOW = """\
# docs/continuous_integration.md of pytest-llm-diagnosis tells why it is as it is.
name: evals
on:
  push: {branches: [main]}
  pull_request:
permissions: {contents: read}
concurrency:
  group: evals-${{ github.ref }}
  cancel-in-progress: ${{ github.event_name == 'pull_request' }}
jobs:
  evals:
    runs-on: ubuntu-latest
    timeout-minutes: 60
    strategy:
      fail-fast: false
      matrix: {shard: [1, 2]}        # as many as you like; the rest follows
    env:
      SHARD: ${{ matrix.shard }}/${{ strategy.job-total }}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - run: pip install pytest-llm-diagnosis
      - name: Validate the eval files, without a call
        run: llm-diagnosis validate
      - name: Ask the model, or replay what is recorded
        env:
          # GitHub hands it to no pull request from a fork, which then replays.
          OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}
        run: |
          ask="--llm-variant=model,rag"
          if [ -z "$OPENAI_API_KEY" ]; then
            ask="$ask --llm-answers=replay"
            # Record with: pytest --llm-variant=model,rag --llm-record
            # Until then the default variant answers, which needs no key.
            [ -f recordings/model.jsonl ] || ask=""
          fi
          # Status 1 says that cases failed: the gates below judge that.
          pytest -m "knowledge or behavior" $ask --llm-shard="$SHARD" \\
            --llm-report="report-${SHARD%/*}.json" || [ $? -eq 1 ]
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: report-${{ matrix.shard }}
          path: report-${{ matrix.shard }}.json

  verdict:
    needs: evals
    if: ${{ !cancelled() }}
    runs-on: ubuntu-latest
    steps:
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - run: pip install pytest-llm-diagnosis
      - uses: actions/download-artifact@v4
        with: {pattern: report-*, merge-multiple: true}
      - name: The last report of main, to compare with
        uses: actions/cache/restore@v4
        with:
          path: baseline.json
          key: evals-baseline-${{ github.sha }}
          restore-keys: evals-baseline-
      - name: Merge the shards and judge the whole
        run: |
          # Add what must hold, such as: --gate "rag: knowledge.low >= 0.8"
          set -- --gate "errors == 0 and cases > 0"
          if [ -f baseline.json ]; then
            set -- "$@" --baseline baseline.json --gate no-regression
          fi
          llm-diagnosis merge report-[0-9]*.json -o report.json -o report.md "$@"
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: llm-report
          path: |
            report.json
            report.md
      - name: Let main's report be the next baseline
        if: github.ref == 'refs/heads/main'
        run: cp report.json baseline.json
      - uses: actions/cache/save@v4
        if: github.ref == 'refs/heads/main'
        with:
          path: baseline.json
          key: evals-baseline-${{ github.sha }}
"""

STARTER: Final[Mapping[str, str]] = {
    "returns.eval.yaml": _CASES,
    "docs/returns.md": _DOCUMENT,
    "llm_variants.yaml": _VARIANTS,
    "answers.yaml": _ANSWERS,
    ".github/workflows/evals.yml": _WORKFLOW,
}
"""The files by name, but for the recordings."""

_RECORDED = ("recordings/scripted.jsonl", "recordings/scripted_rag.jsonl")

NEXT: Final = (
    "next: run `pytest` there. Both cases fail, and the diagnosis says why; then try"
    " `pytest --llm-variant=scripted,scripted_rag`.\n"
)
"""What to do when they are written."""


def starter_files() -> dict[str, str]:
    """Return all files by name, with what `--llm-record` wrote of them."""
    folder = files(__package__ or "").joinpath("starter")
    recorded = {
        name: folder.joinpath(name).read_text(encoding="utf-8") for name in _RECORDED
    }
    return {**STARTER, **recorded}
