"""The assistant as a web service: `uvicorn northwind.api:app`.

POST /answer takes what pytest-llm-diagnosis posts to a `call:` that is a URL and
gives back what it reads.  Nothing here needs that package's code: a service in
any other language would look the same.
"""

from __future__ import annotations

from typing import Annotated, Literal

import httpx
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field, JsonValue

from .assistant import reply

app = FastAPI(title="Northwind's assistant")


class Message(BaseModel):
    """A turn of the conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None


class Question(BaseModel):
    """What is asked; tools, params and the variant's name change nothing here."""

    messages: Annotated[list[Message], Field(min_length=1)]
    tools: list[JsonValue] = []
    params: dict[str, JsonValue] = {}
    variant: str = ""


class Shown(BaseModel):
    """A passage that the model was shown."""

    text: str
    source: str
    score: float | None


class Used(BaseModel):
    """The tokens that were used."""

    prompt: int
    completion: int


class Reply(BaseModel):
    """What the assistant says."""

    text: str
    contexts: list[Shown]
    tokens: Used | None


@app.post("/answer")
async def answer(question: Question) -> Reply:
    """Answer a question; 502 says that the model did not."""
    messages = [message.model_dump() for message in question.messages]
    try:
        told = await reply(messages)
    except httpx.HTTPError as error:
        raise HTTPException(502, f"the model did not answer: {error}") from error
    used = told.tokens
    return Reply(
        text=told.text,
        contexts=[
            Shown(text=one.text, source=one.source, score=one.score)
            for one in told.contexts
        ],
        tokens=Used(prompt=used.prompt, completion=used.completion) if used else None,
    )
