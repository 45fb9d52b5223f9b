"""Case x variant x trial x arm to a request, with its key.

An arm changes one thing (method.md section 2): `F` frees the form, `S` states
the instruction, `X` adds examples to it, `E` shows the gold passage alone; two
letters are both changes.  `first` and the control `R` change nothing.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .checks import Check
from .errors import DiagnosisError
from .records import (
    Arm,
    Case,
    CheckSpec,
    Context,
    Ideal,
    Json,
    JsonObject,
    Message,
    Request,
    Variant,
    message_text,
)

if TYPE_CHECKING:
    from .retrieval import Retriever

KEY_FORMAT = 1
EXAMPLES_PER_ARM = 3
_TRIES_PER_EXAMPLE = 30
_FEW_SHOT = "few_shot"

FREE_FORM = (
    "Answer in one or two sentences, in any form, whatever form was asked for above."
)
NO_DEMAND = "You are a helpful assistant."


class ArmUnavailableError(DiagnosisError):
    """The arm cannot be asked of this case: what it would add does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A case ready to be asked: its node id and its checks, bound.

    `gold` holds the texts that give its answer away; `form_demand` is what the
    form checks say of themselves, used where the case has no instruction.
    """

    nodeid: str
    case: Case
    checks: tuple[Check, ...]
    gold: frozenset[str]
    form_demand: str

    @classmethod
    def of(cls, nodeid: str, case: Case, checks: tuple[Check, ...]) -> Prepared:
        """Return the case with what its bound checks say."""
        demands = [
            check.describe() for check in checks if check.spec.dimension == "form"
        ]
        gold = (text.casefold() for check in checks for text in check.gold())
        return cls(
            nodeid=nodeid,
            case=case,
            checks=checks,
            gold=frozenset(gold),
            form_demand=" ".join(filter(None, demands)),
        )

    @property
    def instruction(self) -> str:
        """What arm `S` states; empty when there is nothing to state."""
        return self.case.instruction or self.form_demand

    @property
    def cluster(self) -> str:
        """What is resampled together: `cluster:`, else the evidence, else the file."""
        if self.case.cluster:
            return self.case.cluster
        if self.case.evidence:
            return self.case.evidence[0].id
        return self.nodeid.partition("::")[0]


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
            *_system(case, variant, arm),
            *turns,
            *_conversation(case.messages, contexts, self._demand(prepared, arm)),
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
            endpoint=_endpoint(variant),
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
            return _turns(found, prepared.instruction)
        if variant.examples is None or "F" in arm:
            return ()
        if variant.examples.messages:
            return variant.examples.messages
        return _turns(self._draw(prepared, variant.examples.count, _FEW_SHOT), "")

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
    shown = "\n".join([*texts, _ideal_text(candidate.case.ideal)]).casefold()
    return any(len(text) > 1 and text in shown for text in prepared.gold)


def _overlap(one: str, other: str) -> bool:
    """Whether two passages are one, or a document and a section of it."""
    (document, _, section), (of, _, other_section) = (
        passage.partition("#") for passage in (one, other)
    )
    return one == other or (document == of and not (section and other_section))


def _form(case: Case) -> tuple[Path, str]:
    """Return what makes two cases alike: file, form checks and tools."""
    demands = sorted(_canonical(_check(spec)) for spec in case.form)
    return case.path, _canonical([*demands, case.tools])


def _check(spec: CheckSpec) -> Json:
    return [spec.name, spec.params]


def _system(case: Case, variant: Variant, arm: Arm) -> tuple[Message, ...]:
    """Put the corpus first, so that providers can cache it, then what is demanded.

    Free form drops what the variant demands and keeps what the case says of
    itself: whom it answers for is no matter of form, and the closing sentence
    lifts a form that stands there.  The gold passage alone replaces the corpus.
    """
    corpus = None if "E" in arm else variant.context
    demand = variant.system
    if "F" in arm and demand:
        # An empty place is filled by many chat templates, with words of theirs.
        demand = None if corpus or case.system else NO_DEMAND
    parts = [part.strip() for part in (corpus, case.system, demand) if part]
    return ({"role": "system", "content": "\n\n".join(parts)},) if parts else ()


def _conversation(
    messages: tuple[Message, ...], contexts: tuple[Context, ...], demand: str
) -> tuple[Message, ...]:
    """Return the case's turns; passages open the last one, a demand closes it."""
    if not contexts and not demand:
        return messages
    *earlier, last = messages
    parts = [_passages(contexts), message_text(last), demand]
    content = "\n\n".join(part for part in parts if part)
    return (*earlier, {**last, "content": content})


def _passages(contexts: tuple[Context, ...]) -> str:
    if not contexts:
        return ""
    shown = "\n\n".join(context.text.strip() for context in contexts)
    return f"Use this information to answer:\n\n{shown}"


def _turns(examples: Sequence[Prepared], demand: str) -> tuple[Message, ...]:
    turns: list[Message] = []
    for number, example in enumerate(examples):
        turns += _conversation(example.case.messages, (), demand)
        turns += _ideal_turns(example.case.ideal, number)
    return tuple(turns)


def _ideal_turns(ideal: Ideal | None, number: int) -> list[Message]:
    if ideal is None:
        return []
    if not ideal.tool_calls:
        return [{"role": "assistant", "content": ideal.text}]
    calls: list[Json] = [
        {
            "id": f"call_{number}_{index}",
            "type": "function",
            "function": {"name": call.name, "arguments": _arguments(call.arguments)},
        }
        for index, call in enumerate(ideal.tool_calls)
    ]
    results: list[Message] = [
        {"role": "tool", "tool_call_id": f"call_{number}_{index}", "content": "done"}
        for index in range(len(calls))
    ]
    return [{"role": "assistant", "content": ideal.text, "tool_calls": calls}, *results]


def _arguments(arguments: JsonObject | str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _ideal_text(ideal: Ideal | None) -> str:
    if ideal is None:
        return ""
    calls = [_arguments(call.arguments) for call in ideal.tool_calls]
    return "\n".join([ideal.text, *calls])


def keyed(request: Request, variant: Variant) -> Request:
    """Return the request with its name in the store: what, of whom, how often.

    The endpoint stands in it as written, so that neither a secret nor a port
    chosen at run time changes it; timeouts, retries and concurrency do not.
    """
    written = variant.written
    identity: Json = [
        KEY_FORMAT,
        written.model if written else _called(variant),
        written.api_base if written else None,
        request.messages,
        request.tools,
        request.params,
        variant.revision,
        request.trial,
        request.arm,
    ]
    # JSON escapes what is not ASCII, a hostile case's lone surrogates included.
    key = hashlib.sha256(_canonical(identity).encode("ascii")).hexdigest()
    return replace(request, key=key)


def _called(variant: Variant) -> Json:
    """Return what answers instead of a model; headers may say for whom."""
    if variant.headers:
        return [variant.call, dict(variant.headers)]
    return variant.call or _script(variant)


def _script(variant: Variant) -> str:
    """Return the script's path from its variants file: a checkout may move."""
    folder, script = variant.location.path.parent, variant.script
    if script is None or not script.is_relative_to(folder):
        return str(script)
    return script.relative_to(folder).as_posix()


def _endpoint(variant: Variant) -> JsonObject:
    """Return what a variant asks, without its settings."""
    written = variant.written
    stated: dict[str, Json] = {
        "model": written.model if written else None,
        "api_base": written.api_base if written else None,
        "call": variant.call,
        "revision": variant.revision,
    }
    return {name: value for name, value in stated.items() if value is not None}


def _canonical(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
