"""similar: the answer means about the same as a text, by their embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Answer, CheckSpec, Inquiry, Verdict

from .inquiring import ENDPOINT, AskingCheck, Reply, endpoint
from .parameters import TEXT, described, mapping, options, quantity, text, wrong
from .protocol import CheckType, Example
from .showing import shown

AT_LEAST = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar(AskingCheck):
    """The cosine of the two embeddings reaches a threshold."""

    text: str
    at_least: float

    def inquiries(self, answer: Answer, question: str) -> tuple[Inquiry, ...]:  # noqa: ARG002 - only the answer is compared
        """Ask once, unless there is nothing to compare."""
        if not answer.text.strip():
            return ()
        asked = Inquiry(
            kind="similarity",
            model=self.model,
            api_base=self.api_base,
            texts=(self.text, answer.text),
        )
        return (asked,)

    def decide(self, answer: Answer, replies: Sequence[Reply]) -> Verdict:
        """Fail with `similar:empty` or `similar:far`.

        `similar:failed` says that the embeddings could not be had.
        """
        if not replies:
            return self.failed("similar:empty", "an empty answer")
        reply = replies[0]
        if isinstance(reply, ModelError):
            return self.undecided("similar:failed", f"{self.model}: {reply.message}")
        cosine = float(reply.text)
        if cosine >= self.at_least:
            return self.passed()
        reason = (
            f"similarity {cosine:.2f} to {shown(self.text)} is below"
            f" {self.at_least:g}: {shown(answer.text)}"
        )
        return self.failed("similar:far", reason)

    def describe(self) -> str:
        """Ask for the text's meaning, where it is form."""
        return "" if self.seeks_facts else f"Say about this: {self.text}"

    def gold(self) -> tuple[str, ...]:
        """Return the text, where it is a fact."""
        return (self.text,) if self.seeks_facts else ()


def _bind(spec: CheckSpec) -> Similar:
    params = mapping(spec, "text")
    at_least = quantity(spec, params.get("at_least", AT_LEAST), "at_least")
    if at_least > 1:
        raise wrong(spec, f"at_least is a cosine, at most 1, not {at_least:g}")
    model, api_base = endpoint(spec, params)
    return Similar(
        spec=spec,
        model=model,
        api_base=api_base,
        text=text(spec, params.get("text")),
        at_least=at_least,
    )


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module."""
    return (
        CheckType(
            name="similar",
            summary="The answer means about the same as a text, by embeddings.",
            parameters=options(
                "a text, and the embedding model that compares",
                {
                    "text": described(TEXT, "what the answer should mean"),
                    **ENDPOINT,
                    "at_least": {
                        "description": "the least cosine of the two embeddings",
                        "type": "number",
                        "minimum": 0,
                        "maximum": 1,
                        "default": AT_LEAST,
                    },
                },
                ("text", "model"),
            ),
            bind=_bind,
            codes=(
                "similar:not_asked",
                "similar:empty",
                "similar:far",
                "similar:failed",
            ),
            example=Example(
                params={
                    "text": "Boots may be returned within 45 days.",
                    "model": "openai/text-embedding-3-small",
                },
                passing=Answer(text="You have 45 days to send the boots back."),
                failing=Answer(text="Our shop opens at nine."),
                code="similar:far",
                passing_replies=(Answer(text="0.91"),),
                failing_replies=(Answer(text="0.12"),),
            ),
        ),
    )
