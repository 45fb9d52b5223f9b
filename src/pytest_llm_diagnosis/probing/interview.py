"""Asking the arms of one case, and keeping what they showed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Literal, TypeAlias, TypeVar

from pytest_llm_diagnosis.records import Arm, Ask
from pytest_llm_diagnosis.requests import ArmUnavailableError

from .belief import Belief, Graded
from .situation import Reply, Situation
from .states import possible_states

Asker: TypeAlias = Callable[[Arm, int], Awaitable[Reply]]
"""Asks an arm for the n-th time (from 0); raises `ArmUnavailableError`.

Any other error, such as a spent budget, ends the interview and is passed on.
"""

ARMS: tuple[Arm, ...] = ("R", "F", "S", "X", "E", "EF", "ES", "EX")
LONG = 24
"""From so many characters on, two equal answers are no chance."""
MOST_ASKS = 4
MOST_CONTROLS = 6
_MOST_VARIED = 2
_VARYING: frozenset[Arm] = frozenset({"X", "EX"})

_T = TypeVar("_T")


def run_now(coroutine: Coroutine[None, None, _T]) -> _T:
    """Return the result of a coroutine whose awaits never suspend.

    Raises RuntimeError when one of them does.
    """
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: _T = finished.value
        return result
    coroutine.close()
    raise RuntimeError("the coroutine suspended: it needs an event loop")


class CallFailedError(Exception):
    """A call of the interview ended without an answer; its text is the arm."""


class Interview:
    """The asks of one case so far, and what they make of its hidden state."""

    def __init__(self, situation: Situation, asker: Asker) -> None:
        self.situation = situation
        self.replies: dict[Arm, list[Reply]] = {}
        self.untested: list[Arm] = ["F"] if situation.formed else []
        self.belief = Belief(possible_states(situation))
        self.belief.see("first", situation.first.ask)
        self._asker = asker

    async def ask(self, arm: Arm) -> None:
        """Ask an arm once more; one that cannot be asked becomes untested."""
        replies = self.replies.get(arm, [])
        try:
            reply = await self._asker(arm, len(replies))
        except ArmUnavailableError:
            self.untested.append(arm)
            return
        self.replies[arm] = [*replies, reply]
        if reply.ask.error:
            raise CallFailedError(arm)
        self.belief.see(arm, reply.ask)
        if arm == "R":
            self._rule_out(reply.ask)

    def _rule_out(self, control: Ask) -> None:
        """Drop what no amount of noise explains after one more control."""
        if self.repeats_itself:
            self.belief.rule_out(lambda state: state.label.cause == "unstable")
        # It knew and broke the form in one and the same answer: once may be a
        # lucky guess, most of the time is none.
        seen = [reply.ask.facts for reply in self.controls]
        known = 2 * seen.count(True) > len(seen)
        if known and control.facts and control.form is False:
            self.belief.rule_out(lambda state: not state.knows)

    def cannot_ask(self, arm: Arm) -> bool:
        """Return whether what an arm, or a part of it, would add does not exist."""
        return any(part in self.untested for part in (arm, *arm))

    def has(self, arm: Arm) -> bool:
        """Return whether an arm was asked and answered."""
        return arm in self.replies

    def seen(self, arm: Arm, part: Literal["facts", "all"]) -> bool:
        """Return whether an ask of an arm was right, in its facts or as a whole.

        Where there are no facts to see, the whole answer counts.
        """
        asks = [reply.ask for reply in self.replies.get(arm, ())]
        if part == "facts" and any(ask.facts is not None for ask in asks):
            return any(ask.facts for ask in asks)
        return any(ask.passed for ask in asks)

    @property
    def facts_fail(self) -> bool:
        """Whether a wrong fact, not form alone, is what most controls show."""
        seen = [reply.ask.facts for reply in self.controls]
        return seen.count(False) > seen.count(True)

    @property
    def calls(self) -> int:
        """How many asks were answered."""
        return sum(map(len, self.replies.values()))

    @property
    def controls(self) -> list[Reply]:
        """The unchanged asks, the first run's included."""
        return [self.situation.first, *self.replies.get("R", ())]

    @property
    def repeats_itself(self) -> bool:
        """Whether all unchanged asks gave the same bytes, and not by chance.

        Two equal long answers are no chance; of short ones it takes three.
        """
        text = self.situation.first.text
        enough = 2 if len(text) >= LONG else 3
        return self._all_equal and len(self.controls) >= enough

    @property
    def seems_to_repeat(self) -> bool:
        """Whether one more unchanged ask would tell if the model repeats itself."""
        return self._all_equal and not self.repeats_itself

    @property
    def _all_equal(self) -> bool:
        texts = {reply.text for reply in self.controls}
        return len(self.controls) > 1 and len(texts) == 1 and "" not in texts

    def open_arms(self) -> list[Arm]:
        """Return the arms that could still show something."""
        return [
            arm
            for arm in ARMS
            if not self._is_used_up(arm) and self._is_due(arm) and self.graded(arm)
        ]

    def _is_used_up(self, arm: Arm) -> bool:
        # A model that repeats itself byte for byte is not asked the same twice;
        # examples are others each time.
        asked = len(self.replies.get(arm, ()))
        if self.repeats_itself:
            return asked >= (_MOST_VARIED if arm in _VARYING else 1)
        return asked >= (MOST_CONTROLS if arm == "R" else MOST_ASKS)

    def graded(self, arm: Arm) -> list[Graded]:
        """Return what an arm's answers are graded on; free form on facts alone."""
        ask = self.situation.first.ask
        graded: list[Graded] = ["facts"] if ask.facts is not None else []
        if ask.form is not None and "F" not in arm:
            graded.append("form")
        return graded

    def _is_due(self, arm: Arm) -> bool:
        # A dearer change is tried once the cheaper one has failed: three
        # examples may well break what the instruction alone puts right.
        if self.cannot_ask(arm):
            return False
        free = not self.situation.abstains
        due: Mapping[Arm, bool] = {
            "F": free,
            "X": self._failed("S", "all"),
            "EF": free and self._failed("E", "facts"),
            "ES": self._needs_form_too(),
            "EX": self._failed("ES", "all"),
        }
        return due.get(arm, True)

    def _needs_form_too(self) -> bool:
        if self.situation.formed:
            # A fact that needs its form fails with it, so form alone comes first.
            return self._failed("S", "all") and self._failed("E", "all")
        return self._failed("E", "form")

    def _failed(self, arm: Arm, bit: Literal["facts", "form", "all"]) -> bool:
        asks = [reply.ask for reply in self.replies.get(arm, ())]
        passed = [ask.passed if bit == "all" else getattr(ask, bit) for ask in asks]
        return arm in self.untested or passed.count(False) > passed.count(True)
