"""The assistant: a question, what the search finds, the house's prompt, the model.

`answer` is what `call: "northwind.assistant:answer"` names; the web service in
`api.py` asks the same `reply`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import httpx

from pytest_llm_diagnosis.records import Answer, Context, Json, Request, Tokens

from .search import Found, search

MODEL = "smollm2"
SETTINGS: Mapping[str, Json] = {"temperature": 0, "max_tokens": 48, "seed": 7}
PROMPT = "You are the assistant of Northwind Outfitters. Answer briefly."
SECONDS = 60

Turn = Mapping[str, Json]


async def answer(request: Request) -> Answer:
    """Answer one request of the suite."""
    return await reply(request.messages)


async def reply(messages: Sequence[Turn]) -> Answer:
    """Return what the model says, with the passages it was shown.

    Raises `httpx.HTTPError` when the model does not answer.
    """
    found = search(_question(messages))
    url = f"{os.environ['SMOLLM2_URL'].rstrip('/')}/chat/completions"
    body = {"model": MODEL, "messages": _prompted(messages, found), **SETTINGS}
    async with httpx.AsyncClient(timeout=SECONDS, trust_env=False) as client:
        response = await client.post(url, json=body)
    response.raise_for_status()
    completion = response.json()
    usage = completion["usage"]
    return Answer(
        text=completion["choices"][0]["message"]["content"] or "",
        contexts=tuple(
            Context(text=one.section.text, source=one.section.source, score=one.score)
            for one in found
        ),
        tokens=Tokens(
            prompt=usage["prompt_tokens"], completion=usage["completion_tokens"]
        ),
    )


def _question(messages: Sequence[Turn]) -> str:
    asked = [turn["content"] for turn in messages if turn["role"] == "user"]
    return str(asked[-1]) if asked else ""


def _prompted(messages: Sequence[Turn], found: Sequence[Found]) -> list[Turn]:
    """Return the conversation behind the house's prompt and the passages."""
    passages = [f"[{at}] {one.section.text}" for at, one in enumerate(found, start=1)]
    told = [str(turn["content"]) for turn in messages if turn["role"] == "system"]
    system = "\n\n".join([PROMPT, *told, *passages])
    spoken = [turn for turn in messages if turn["role"] != "system"]
    return [{"role": "system", "content": system}, *spoken]
