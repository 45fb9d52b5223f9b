"""The suite that `llm-diagnosis init` writes: it runs at once, without a key."""

from __future__ import annotations

from collections.abc import Mapping
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
name: evals
on:
  push: {branches: [main]}
  pull_request:
permissions: {contents: read}
jobs:
  evals:
    runs-on: ubuntu-latest
    env:
      # Empty in pull requests from forks, which replay what is recorded.
      OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - run: pip install pytest-llm-diagnosis
      - name: Check the eval files, without a call
        run: pytest --collect-only -q
      - name: Ask the model
        if: env.OPENAI_API_KEY != ''
        run: pytest --llm-variant=model,rag --llm-report=report.json
      # Record with: pytest --llm-variant=model,rag --llm-record
      - name: Replay recorded answers
        if: env.OPENAI_API_KEY == '' && hashFiles('recordings/*.jsonl') != ''
        run: >-
          pytest --llm-variant=model,rag --llm-answers=replay
          --llm-report=report.json
      - uses: actions/upload-artifact@v4
        if: always() && hashFiles('report.json') != ''
        with: {name: llm-report, path: report.json}
"""

STARTER: Final[Mapping[str, str]] = {
    "returns.eval.yaml": _CASES,
    "docs/returns.md": _DOCUMENT,
    "llm_variants.yaml": _VARIANTS,
    "answers.yaml": _ANSWERS,
    ".github/workflows/evals.yml": _WORKFLOW,
}
"""The files by name."""

NEXT: Final = (
    "next: run `pytest` there. Both cases fail, and the diagnosis says why; then try"
    " `pytest --llm-variant=scripted,scripted_rag`.\n"
)
"""What to do when they are written."""
