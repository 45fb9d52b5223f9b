"""Plans every request of a suite: what each arm shows and asks of a case."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import (
    Arm,
    Case,
    CheckSpec,
    Context,
    Json,
    Message,
    Request,
    Variant,
    message_text,
)

from .keys import canonical, endpoint_of, keyed
from .prepared import Prepared
from .turns import conversation, example_turns, ideal_text, system_turn

if TYPE_CHECKING:
    from pytest_llm_diagnosis.retrieval import Retriever

EXAMPLES_PER_ARM = 3
_TRIES_PER_EXAMPLE = 30
_FEW_SHOT = "few_shot"

FREE_FORM = (
    "Answer in one or two sentences, in any form, whatever form was asked for above."
)


class ArmUnavailableError(DiagnosisError):
    """The arm cannot be asked of this case: what it would add does not exist."""


class RequestPlanner:
    """Builds every request of a suite; the same inputs give the same keys.

    Examples are ideal answers of other cases of the same form in the same file,
    so that selecting files or cases does not change a request.  They never share
    the case's gold text, evidence or cluster, and are fixed by the seed.
    """

    def __init__(
        self,
        suite: Iterable[Prepared],
        retriever: Callable[[Variant], Retriever],
        *,
        seed: int,
    ) -> None:
        self._retriever = retriever
        self._seed = seed
        self._alike: dict[tuple[Path, str], list[Prepared]] = defaultdict(list)
        for prepared in suite:
            if prepared.case.ideal is not None:
                self._alike[_form(prepared.case)].append(prepared)

    def request(
        self,
        prepared: Prepared,
        variant: Variant,
        *,
        trial: int = 0,
        arm: Arm = "first",
    ) -> Request:
        """Return the request of one trial of an arm.

        Raises `ArmUnavailableError` where the arm has nothing to add, and
        `DiagnosisError` where the variant's retrieval cannot be searched.
        """
        case = prepared.case
        contexts = self._contexts(prepared, variant, arm)
        turns = self._examples(prepared, variant, trial, arm)
        messages = (
            *system_turn(case, variant, arm),
            *turns,
            *conversation(case.messages, contexts, self._demand(prepared, arm)),
        )
        params = variant.written.params if variant.written else variant.params
        request = Request(
            key="",
            case=prepared.nodeid,
            variant=variant.name,
            messages=messages,
            tools=() if "F" in arm else case.tools,
            params={**params, **case.params},
            trial=trial,
            arm=arm,
            contexts=contexts,
            variants_file=str(variant.location.path),
            endpoint=endpoint_of(variant),
        )
        return keyed(request, variant)

    def lacks_examples(self, prepared: Prepared, variant: Variant) -> bool:
        """Whether there are fewer examples to show than a variant asks for."""
        wanted = variant.examples
        if wanted is None or wanted.messages:
            return False
        return len(self._draw(prepared, wanted.count, _FEW_SHOT)) < wanted.count

    def _contexts(
        self, prepared: Prepared, variant: Variant, arm: Arm
    ) -> tuple[Context, ...]:
        if "E" in arm:
            if not prepared.case.evidence:
                raise ArmUnavailableError("the case names no evidence")
            return tuple(
                Context(text=passage.text, source=passage.id)
                for passage in prepared.case.evidence
            )
        if variant.retrieve is None:
            return ()
        question = message_text(prepared.case.messages[-1])
        return self._retriever(variant).search(question, variant.retrieve.top_k)

    def _demand(self, prepared: Prepared, arm: Arm) -> str:
        if "F" in arm:
            return FREE_FORM
        if "S" in arm or "X" in arm:
            if not prepared.instruction:
                raise ArmUnavailableError("the case has no instruction to state")
            return prepared.instruction
        return ""

    def _examples(
        self, prepared: Prepared, variant: Variant, trial: int, arm: Arm
    ) -> tuple[Message, ...]:
        if "X" in arm:
            found = self._draw(prepared, EXAMPLES_PER_ARM, f"{arm}:{trial}")
            if len(found) < EXAMPLES_PER_ARM:
                raise ArmUnavailableError(
                    f"only {len(found)} other cases of this form have an ideal answer"
                )
            return example_turns(found, prepared.instruction)
        if variant.examples is None or "F" in arm:
            return ()
        if variant.examples.messages:
            return variant.examples.messages
        found = self._draw(prepared, variant.examples.count, _FEW_SHOT)
        return example_turns(found, "")

    def _draw(self, prepared: Prepared, count: int, purpose: str) -> list[Prepared]:
        """Return up to `count` examples; sampling keeps large suites linear."""
        pool = self._alike.get(_form(prepared.case), [])
        chooser = random.Random(f"{self._seed}:{prepared.nodeid}:{purpose}")  # noqa: S311 - a fixed draw, not a secret
        tries = min(len(pool), count * _TRIES_PER_EXAMPLE)
        found: list[Prepared] = []
        for candidate in chooser.sample(pool, tries):
            if not _leaks(candidate, prepared):
                found.append(candidate)
            if len(found) == count:
                break
        return found


def _leaks(candidate: Prepared, prepared: Prepared) -> bool:
    """Whether showing the candidate could give the case's answer away."""
    if candidate.nodeid == prepared.nodeid:
        return True
    if any(
        _overlap(one.id, other.id)
        for one in prepared.case.evidence
        for other in candidate.case.evidence
    ):
        return True
    if prepared.case.cluster and prepared.case.cluster == candidate.case.cluster:
        return True
    if prepared.gold & candidate.gold:
        return True
    texts = [*map(message_text, candidate.case.messages)]
    shown = "\n".join([*texts, ideal_text(candidate.case.ideal)]).casefold()
    return any(len(text) > 1 and text in shown for text in prepared.gold)


def _overlap(one: str, other: str) -> bool:
    """Whether two passages are one, or a document and a section of it."""
    (document, _, section), (of, _, other_section) = (
        passage.partition("#") for passage in (one, other)
    )
    return one == other or (document == of and not (section and other_section))


def _form(case: Case) -> tuple[Path, str]:
    """Return what makes two cases alike: file, form checks and tools."""
    demands = sorted(canonical(_check(spec)) for spec in case.form)
    return case.path, canonical([*demands, case.tools])


def _check(spec: CheckSpec) -> Json:
    return [spec.name, spec.params]
