"""The engine: order, concurrency, single flight, retries, budgets, stopping."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

import pytest

from pytest_llm_diagnosis.engine import (
    Budget,
    Engine,
    EngineOptions,
    Limiter,
    Provider,
    RetryPolicy,
    Urgency,
)
from pytest_llm_diagnosis.errors import (
    BudgetError,
    ModelError,
    NotAskedError,
    ReplayMissError,
    StoreError,
)
from pytest_llm_diagnosis.records import Answer, Request
from pytest_llm_diagnosis.store import MemoryStore
from virtual_time import run_virtually

QUICK = RetryPolicy(attempts=3, first_pause=0.001, longest_pause=0.002)


def request(number: int, variant: str = "base") -> Request:
    """Return a distinct request."""
    return Request(
        key=f"key-{variant}-{number}",
        case=f"a.eval.yaml::case-{number}",
        variant=variant,
        messages=({"role": "user", "content": str(number)},),
    )


class Echo:
    """A model that answers with the question and remembers how it was asked."""

    def __init__(
        self, delay: float = 0.0, fail: Callable[[int], bool] | None = None
    ) -> None:
        self.asked: list[str] = []
        self.most_at_once = 0
        self.closed = False
        self._delay = delay
        self._fail = fail
        self._at_once = 0

    async def answer(self, request: Request) -> Answer:
        """Answer after the delay, or fail as told."""
        question = str(request.messages[-1]["content"])
        self.asked.append(question)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(self._delay)
        finally:
            self._at_once -= 1
        if self._fail and self._fail(len(self.asked)):
            raise ModelError("overloaded", status=503, retryable=True)
        return Answer(text=question, usd=0.5)

    async def close(self) -> None:
        """Remember to have been closed."""
        self.closed = True


@contextmanager
def running(
    model: Echo,
    *,
    concurrency: int = 8,
    budget: Budget | None = None,
    store: MemoryStore | None = None,
    caps: dict[tuple[str, str], int] | None = None,
) -> Iterator[Engine]:
    """Yield a started engine and stop it."""
    kept = store or MemoryStore()
    engine = Engine(
        open_model=lambda _: model,
        open_store=lambda: kept,
        options=EngineOptions(concurrency=concurrency, retry=QUICK, grace=0.2),
        budget=budget,
        provider_of=lambda key: Provider(endpoint="one", cap=(caps or {}).get(key)),
    )
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def test_answers_by_key_whatever_the_order() -> None:
    """Answers are handed out by key, in any order they are wanted."""
    model = Echo(delay=0.001)
    with running(model) as engine:
        engine.run_ahead([request(n) for n in range(20)])
        texts = [engine.answer(request(n)).result().text for n in reversed(range(20))]
    assert texts == [str(n) for n in reversed(range(20))]
    assert len(model.asked) == 20
    assert model.closed


def test_runs_ahead_of_whoever_waits() -> None:
    """Calls begin before anybody asks for their answers, up to the limit."""
    model = Echo(delay=0.05)
    with running(model, concurrency=5) as engine:
        engine.run_ahead([request(n) for n in range(12)])
        engine.answer(request(0)).result()
        assert len(model.asked) >= 5
        for n in range(12):
            engine.answer(request(n)).result()
    assert model.most_at_once == 5


def test_a_request_is_paid_once_however_often_it_is_wanted() -> None:
    """Equal keys share one call, also between threads."""
    model = Echo(delay=0.02)
    with running(model) as engine:
        futures = [engine.answer(request(1)) for _ in range(10)]
        threads = [
            threading.Thread(target=lambda: engine.answer(request(1)).result())
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {future.result().text for future in futures} == {"1"}
    assert model.asked == ["1"]
    assert engine.counts.calls == 1


def test_a_filtered_answer_is_not_asked_for_twice() -> None:
    """The store refuses a filtered answer; the run still pays for it once."""

    class Filtered(Echo):
        async def answer(self, request: Request) -> Answer:
            answer = await super().answer(request)
            return replace(answer, finish_reason="content_filter")

    model = Filtered()
    with running(model) as engine:
        for _ in range(3):
            answer = engine.answer(request(1)).result()
            assert answer.finish_reason == "content_filter"
    assert model.asked == ["1"]


def test_stored_answers_cost_no_call() -> None:
    """What another run stored is found and counted as stored."""
    store = MemoryStore()
    with running(Echo(), store=store) as engine:
        engine.answer(request(1)).result()
    model = Echo()
    with running(model, store=store) as engine:
        assert engine.stored([request(1), request(2)]) == {request(1).key}
        engine.answer(request(1)).result()
    assert model.asked == []


def test_retries_a_passing_fault() -> None:
    """A retryable error is tried again; the counts say how often."""
    model = Echo(fail=lambda tries: tries < 3)
    with running(model) as engine:
        assert engine.answer(request(1)).result().text == "1"
    assert (engine.counts.retries, engine.counts.answered) == (2, 1)


def test_gives_up_after_the_last_try_and_does_not_ask_again() -> None:
    """The last error ends the request; wanting it again makes no new call."""
    model = Echo(fail=lambda _: True)
    with running(model) as engine:
        for _ in range(2):
            with pytest.raises(ModelError, match=r"overloaded \(after 3 tries\)"):
                engine.answer(request(1)).result()
    assert len(model.asked) == 3
    assert engine.counts.failed == 1


def test_the_call_budget_is_never_exceeded() -> None:
    """No call begins once the budget is spent; the rest say so."""
    model = Echo(delay=0.001)
    with running(model, budget=Budget(max_calls=3)) as engine:
        engine.run_ahead([request(n) for n in range(10)])
        outcomes = [engine.answer(request(n)).exception() for n in range(10)]
    assert len(model.asked) == 3
    assert sum(isinstance(error, BudgetError) for error in outcomes) == 7


@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_money_budget_is_not_exceeded(concurrency: int) -> None:
    """At 0.5 USD a call, 1.2 USD allow two calls, not three."""
    model = Echo(delay=0.001)
    budget = Budget(max_usd=1.2)
    with running(model, concurrency=concurrency, budget=budget) as engine:
        futures = [engine.answer(request(n)) for n in range(5)]
        outcomes = [future.exception() for future in futures]
    assert len(model.asked) == 2
    spent = [error for error in outcomes if isinstance(error, BudgetError)]
    assert len(spent) == 3
    assert str(spent[0]).startswith("the budget of 1.2 USD is spent")


def test_a_budget_of_no_money_allows_no_call() -> None:
    """Zero means zero."""
    model = Echo()
    with running(model, budget=Budget(max_usd=0.0)) as engine:
        error = engine.answer(request(1)).exception()
    assert isinstance(error, BudgetError)
    assert model.asked == []


def test_a_budget_whose_first_call_fails_goes_on() -> None:
    """The next call shows the price."""
    model = Echo(fail=lambda tries: tries <= QUICK.attempts)
    with running(model, budget=Budget(max_usd=1.2)) as engine:
        futures = [engine.answer(request(n)) for n in range(4)]
        outcomes = [future.exception() for future in futures]
    assert sum(error is None for error in outcomes) == 2


class Priced(Echo):
    """A model whose variants cost differently; None is an unknown price."""

    def __init__(self, prices: dict[str, float | None]) -> None:
        super().__init__(delay=0.001)
        self._prices = prices

    async def answer(self, request: Request) -> Answer:
        """Answer at the variant's price."""
        answer = await super().answer(request)
        return replace(answer, usd=self._prices[request.variant])


@pytest.mark.parametrize("cheap", [None, 0.001])
def test_a_cheap_variant_does_not_let_a_dear_one_overspend(cheap: float | None) -> None:
    """Each variant's price is learned by itself, one call at a time."""
    model = Priced({"cheap": cheap, "dear": 0.05})
    with running(model, concurrency=16, budget=Budget(max_usd=0.2)) as engine:
        names = ["cheap"] * 20 + ["dear"] * 20
        futures = [engine.answer(request(n, name)) for n, name in enumerate(names)]
        for future in futures:
            future.exception()
    assert engine.counts.usd <= 0.2
    cheap_ones = [future.exception() for future in futures[:20]]
    assert cheap is None or cheap_ones == [None] * 20


def test_what_the_budget_allows_is_not_refused_for_what_is_in_flight() -> None:
    """A call that may exceed the limit waits until those in flight are priced."""

    class Uneven(Echo):
        async def answer(self, request: Request) -> Answer:
            answer = await super().answer(request)
            return replace(answer, usd=0.05 if answer.text == "0" else 0.001)

    with running(Uneven(delay=0.001), concurrency=16, budget=Budget(max_usd=0.3)) as e:
        futures = [e.answer(request(n)) for n in range(100)]
        assert [future.exception() for future in futures] == [None] * 100


def test_a_stop_wakes_those_that_wait_for_their_next_try() -> None:
    """A long Retry-After does not hold up the end."""

    class Busy(Echo):
        async def answer(self, request: Request) -> Answer:
            await super().answer(request)
            raise ModelError("busy", status=500, retryable=True, retry_after=50.0)

    model = Busy()
    with running(model) as engine:
        future = engine.answer(request(1))
        while not engine.counts.retries:
            time.sleep(0.001)
        engine.refuse_new_calls()
        assert isinstance(future.exception(timeout=20), NotAskedError)
    assert model.asked == ["1"]


def test_what_was_not_asked_may_be_asked_again() -> None:
    """A spent budget is no answer: another process may have paid meanwhile."""
    store = MemoryStore()
    model = Echo()
    with running(model, budget=Budget(max_calls=0), store=store) as engine:
        assert isinstance(engine.answer(request(1)).exception(), BudgetError)
        store.put(request(1), Answer(text="of another"))
        assert engine.answer(request(1)).result().text == "of another"


def test_an_engine_that_never_began_ends_in_peace() -> None:
    """A store that cannot be opened leaves nothing to stop."""

    def refuse() -> MemoryStore:
        raise StoreError("answers.sqlite: cannot be opened")

    model = Echo()
    engine = Engine(
        open_model=lambda _: model, open_store=refuse, options=EngineOptions()
    )
    with pytest.raises(StoreError, match="cannot be opened"):
        engine.start()
    engine.stop()


def test_a_stop_lets_no_call_begin() -> None:
    """After a stop waiting requests fail, and what arrived is kept."""
    model = Echo(delay=0.05)
    store = MemoryStore()
    with running(model, concurrency=2, store=store) as engine:
        engine.run_ahead([request(n) for n in range(200)])
        engine.answer(request(0)).result()
        engine.refuse_new_calls()
        with pytest.raises(ModelError, match="the run was stopped"):
            engine.answer(request(199)).result()
    assert len(model.asked) < 200
    assert store.get(request(0).key) is not None


def test_a_variant_cap_holds_below_the_limit() -> None:
    """A variant's own cap binds it alone."""
    model = Echo(delay=0.01)
    with running(model, caps={("", "slow"): 1}) as engine:
        futures = [engine.answer(request(n, "slow")) for n in range(5)]
        for future in futures:
            future.result()
    assert model.most_at_once == 1


def test_replay_makes_no_call_and_explains_a_miss() -> None:
    """Recorded answers are found; a miss is an error in the recording's words."""

    class Recorded:
        def find(self, wanted: Request) -> Answer | None:
            return Answer(text="kept") if wanted.key == request(1).key else None

        def explain_miss(self, wanted: Request) -> str:
            return f"nothing for {wanted.case}"

    model = Echo()
    engine = Engine(
        open_model=lambda _: model,
        open_store=MemoryStore,
        recordings=Recorded(),
        options=EngineOptions(),
    )
    engine.start()
    try:
        assert engine.stored([request(1), request(2)]) == {request(1).key}
        assert engine.answer(request(1)).result().text == "kept"
        with pytest.raises(ReplayMissError, match=r"nothing for a\.eval\.yaml::case-2"):
            engine.answer(request(2)).result()
    finally:
        engine.stop()
    assert model.asked == []


class Broken(MemoryStore):
    """A store of which one operation fails."""

    def __init__(self, operation: str) -> None:
        super().__init__()
        setattr(self, operation, self._fail)

    def _fail(self, *_: object) -> NoReturn:
        raise StoreError("answers.sqlite: locked")


@pytest.mark.parametrize("operation", ["get", "claim", "put", "renew", "release"])
def test_a_store_that_breaks_in_the_run_costs_no_answer(operation: str) -> None:
    """Every request is asked once and answered; why it is not kept is said."""
    model = Echo(delay=0.001)
    said: list[StoreError] = []
    engine = Engine(
        open_model=lambda _: model,
        open_store=lambda: Broken(operation),
        options=EngineOptions(retry=QUICK, lease=0.01),
        on_unkept=said.append,
    )
    engine.start()
    try:
        engine.run_ahead([request(number) for number in range(20)])
        for number in range(20):
            assert engine.answer(request(number)).result().text == str(number)
            assert engine.answer(request(number)).result().text == str(number)
    finally:
        engine.stop()
    assert sorted(model.asked) == sorted(str(number) for number in range(20))
    assert bool(said) == (operation in {"get", "claim", "put"})


def test_first_answers_go_before_probes() -> None:
    """A freed slot goes to a first answer although a probe waits longer."""

    async def order() -> list[str]:
        limiter = Limiter(1)
        done: list[str] = []

        async def take(name: str, urgency: Urgency) -> None:
            await limiter.acquire(urgency)
            done.append(name)
            limiter.release()

        await limiter.acquire(Urgency.FIRST)
        waiting = [
            asyncio.create_task(take("probe", Urgency.PROBE)),
            asyncio.create_task(take("first", Urgency.FIRST)),
        ]
        await asyncio.sleep(0)
        limiter.release()
        await asyncio.gather(*waiting)
        return done

    assert asyncio.run(order()) == ["first", "probe"]


def test_the_limit_halves_and_climbs_back() -> None:
    """Overload halves the limit; as many successes as slots add one."""

    async def limits() -> Iterator[int]:
        limiter = Limiter(8)
        seen = []
        for _ in range(5):
            number = await limiter.acquire(0)
            limiter.overloaded(number, None)
            limiter.release()
            seen.append(limiter.limit)
            await asyncio.sleep(2)
        for successes in (1, 1, 1, 100):
            for _ in range(successes):
                limiter.succeeded()
            seen.append(limiter.limit)
        return iter(seen)

    assert list(run_virtually(limits())) == [4, 2, 1, 1, 1, 2, 2, 3, 8]


def test_calls_in_flight_together_halve_the_limit_once() -> None:
    """All of them were refused for the same reason."""

    async def limit() -> int:
        limiter = Limiter(8)
        numbers = [await limiter.acquire(0) for _ in range(8)]
        await asyncio.sleep(2)
        for number in numbers:
            limiter.overloaded(number, None)
            await asyncio.sleep(2)
        return limiter.limit

    assert run_virtually(limit()) == 4


def test_a_server_that_never_answered_is_given_up_soon() -> None:
    """Three tries tell that nobody is there; one that answered gets ten."""
    unreachable = ModelError("connection refused", retryable=True)
    policy = RetryPolicy()
    assert policy.pause(2, unreachable, 0.5, proven=False) is not None
    assert policy.pause(3, unreachable, 0.5, proven=False) is None
    assert policy.pause(9, unreachable, 0.5, proven=True) is not None


def test_a_call_that_waits_for_its_next_try_holds_no_slot() -> None:
    """Others go on meanwhile."""

    class Once(Echo):
        async def answer(self, request: Request) -> Answer:
            if not self.asked:
                self.asked.append("refused")
                raise ModelError("broken", status=500, retryable=True)
            return await super().answer(request)

    model = Once()
    patient = RetryPolicy(attempts=2, first_pause=0.3, longest_pause=0.3)
    store = MemoryStore()
    engine = Engine(
        open_model=lambda _: model,
        open_store=lambda: store,
        options=EngineOptions(concurrency=1, retry=patient),
    )
    engine.start()
    try:
        futures = [engine.answer(request(number)) for number in range(3)]
        for future in futures:
            future.result()
    finally:
        engine.stop()
    assert model.asked == ["refused", "1", "2", "0"]


@pytest.mark.parametrize(
    ("attempt", "error", "pause"),
    [
        (1, ModelError("", retryable=True), 0.375),
        (3, ModelError("", retryable=True), 1.5),
        (4, ModelError("", retryable=True), 3.0),
        (9, ModelError("", retryable=True), 15.0),
        (10, ModelError("", retryable=True), None),
        (1, ModelError(""), None),
        (1, ModelError("", retryable=True, retry_after=7.0), 7.0),
        (1, ModelError("", retryable=True, retry_after=61.0), None),
    ],
)
def test_pauses(attempt: int, error: ModelError, pause: float | None) -> None:
    """Pauses double with jitter; Retry-After is obeyed under its cap."""
    assert RetryPolicy().pause(attempt, error, 0.5) == pause
