"""python: a function of the user's own decides."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from pytest_llm_diagnosis.importing import imported
from pytest_llm_diagnosis.records import Answer, CheckSpec, JsonObject, Verdict

from .parameters import TEXT, described, mapping, options, text, wrong
from .protocol import BoundCheck, CheckType, Example
from .showing import shown_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonCheck(BoundCheck):
    """A function is called with the answer, and says whether it passes."""

    target: str
    function: Callable[..., object]
    arguments: JsonObject

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `python:false`; a function that raises leaves it ungraded.

        The function returns True or False, or a pair of that and a reason.
        Anything else is `python:unclear`: no decision.
        """
        said, reason = _told(self.function(answer, **self.arguments))
        if not isinstance(said, bool):
            kind = type(said).__name__
            finding = f"{self.target} returned {kind}, not True or False"
            return self.undecided("python:unclear", finding)
        if said:
            return self.passed()
        told = reason or f"{self.target} says no: {shown_answer(answer)}"
        return self.failed("python:false", told)

    def describe(self) -> str:
        """Return the first line of the function's docstring, where it is form."""
        return "" if self.seeks_facts else _about(self.function)


def says_thanks(answer: Answer) -> tuple[bool, str]:
    """Thank the customer."""
    return "thank" in answer.text.casefold(), "the answer does not say thank you"


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module."""
    return (
        CheckType(
            name="python",
            summary=(
                "A function of your own, called with the answer, returns True or"
                " False, or a pair of that and a reason; one that raises leaves the"
                " case ungraded."
            ),
            parameters={
                "description": "module:function, or that with arguments",
                "anyOf": [
                    TEXT,
                    options(
                        "a function and what it is given besides the answer",
                        {
                            "call": described(TEXT, "module:function"),
                            "with": {
                                "description": "keyword arguments",
                                "type": "object",
                            },
                        },
                        ("call",),
                    ),
                ],
            },
            bind=_bind,
            codes=("python:false", "python:unclear"),
            example=Example(
                params=f"{__name__}:{says_thanks.__name__}",
                passing=Answer(text="Thank you for your order."),
                failing=Answer(text="Order 17 is on its way."),
                code="python:false",
            ),
        ),
    )


def _bind(spec: CheckSpec) -> PythonCheck:
    params = mapping(spec, "call")
    target = text(spec, params.get("call"), "call")
    arguments = params.get("with", {})
    if not isinstance(arguments, dict):
        raise wrong(spec, f"with must be a mapping, not {arguments!r}")
    return PythonCheck(
        spec=spec,
        target=target,
        function=imported(target, "python", spec.location, (spec.folder, spec.root)),
        arguments=arguments,
    )


def _about(function: Callable[..., object]) -> str:
    """Return the first line of a function's docstring: what it asks for."""
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _told(returned: object) -> tuple[object, str]:
    """Return what a function said, and its reason if it gave one."""
    if isinstance(returned, tuple) and len(returned) == 2:  # noqa: PLR2004 - a pair
        return returned[0], str(returned[1])
    return returned, ""
