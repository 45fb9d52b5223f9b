"""The user's application as a model: importing, calling, what it may return."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_llm_diagnosis.errors import InputError, Location, ModelError
from pytest_llm_diagnosis.models import (
    CallableModel,
    DirectModel,
    LitellmModel,
    open_model,
)
from pytest_llm_diagnosis.models.answers import answer_from
from pytest_llm_diagnosis.models.callable_model import Called
from pytest_llm_diagnosis.models.scripted import ScriptedModel
from pytest_llm_diagnosis.records import (
    Answer,
    Context,
    Endpoint,
    Request,
    Tokens,
    ToolCall,
    Variant,
)

REQUEST = Request(
    key="k",
    case="c",
    variant="app",
    messages=({"role": "user", "content": "How many days?"},),
)

Opener = Callable[..., CallableModel]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Write an application module and open a callable of it."""
    before = set(sys.modules), list(sys.path)

    def open_callable(
        code: str, attribute: str = "answer", timeout: float | None = None
    ) -> CallableModel:
        name = f"app_{abs(hash((tmp_path, code)))}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(code))
        place = Location(path=tmp_path / "llm_variants.yaml", line=7)
        return CallableModel(Called(f"{name}:{attribute}", place, tmp_path, timeout))

    yield open_callable
    for name in set(sys.modules) - before[0]:
        del sys.modules[name]
    sys.path[:] = before[1]


def ask(model: CallableModel) -> Answer:
    """Return one answer."""
    return asyncio.run(model.answer(REQUEST))


@pytest.mark.parametrize(
    ("code", "attribute"),
    [
        ("def answer(request): return request.messages[-1]['content']", "answer"),
        ("async def answer(request): return request.messages[-1]['content']", "answer"),
        (
            """
            import asyncio
            def answer(request): return later(request)
            async def later(request):
                await asyncio.sleep(0)
                return request.messages[-1]['content']
            """,
            "answer",
        ),
        (
            """
            class App:
                async def __call__(self, request): return request.messages[0]['content']
            app = App()
            """,
            "app",
        ),
        (
            """
            class App:
                @staticmethod
                def answer(request): return request.messages[0]['content']
            """,
            "App.answer",
        ),
    ],
)
def test_sync_and_async_applications_answer(
    opened: Opener, code: str, attribute: str
) -> None:
    """Functions, coroutines, callable objects, methods, and mixtures."""
    answer = ask(opened(code, attribute))
    assert answer.text == "How many days?"
    assert answer.seconds is not None
    assert not answer.stored


def test_sync_calls_run_beside_each_other_in_daemon_threads(opened: Opener) -> None:
    """More of them than the default thread pool has threads."""
    model = opened(
        """
        import threading
        barrier = threading.Barrier(20, timeout=10)
        def answer(request):
            barrier.wait()
            return str(threading.current_thread().daemon)
        """
    )

    async def ask_all() -> list[Answer]:
        return await asyncio.gather(*(model.answer(REQUEST) for _ in range(20)))

    assert [answer.text for answer in asyncio.run(ask_all())] == ["True"] * 20


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('no index')", "answer raised ValueError: no index"),
        ("raise KeyError", "answer raised KeyError"),
        ("raise SystemExit(3)", "answer raised RuntimeError: SystemExit: 3"),
        ("raise StopIteration('x')", "RuntimeError: (StopIteration: x|coroutine)"),
        ("return None", "answer returned nothing"),
        ("return 45", "answer returned int, not text or an Answer"),
        ("return {}", "answer returned dict, not text or an Answer"),
        (
            "return {'txt': 'a'}",
            "a dict with the unknown key 'txt'; did you mean 'text'",
        ),
    ],
)
@pytest.mark.parametrize("prefix", ["", "async "])
def test_what_goes_wrong_inside_names_the_application(
    opened: Opener, prefix: str, body: str, message: str
) -> None:
    """An error of one call, never of the run."""
    model = opened(f"{prefix}def answer(request): {body}")
    with pytest.raises(ModelError, match=message) as caught:
        ask(model)
    assert caught.value.message.startswith("app_")
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        ("ConnectionResetError('gone')", True),
        ("TimeoutError('slow')", True),
        ("type('RateLimitError', (APIStatusError,), {'status_code': 429})()", True),
        ("type('AuthError', (APIStatusError,), {'status_code': 401})()", False),
    ],
)
def test_a_providers_error_inside_an_application_can_be_retried(
    opened: Opener, error: str, *, retryable: bool
) -> None:
    """An application hits rate limits like any model; its client's error tells."""
    model = opened(
        f"""
        class APIStatusError(Exception): pass
        def answer(request): raise {error}
        """
    )
    with pytest.raises(ModelError) as caught:
        ask(model)
    assert caught.value.retryable is retryable


@pytest.mark.parametrize(
    "code",
    [
        "import time\ndef answer(request): time.sleep(0.3)",
        "import asyncio\nasync def answer(request): await asyncio.sleep(30)",
    ],
)
def test_an_application_that_hangs_is_given_up(opened: Opener, code: str) -> None:
    """After the timeout, with its name, and without waiting for its thread."""
    begun = time.perf_counter()
    with pytest.raises(
        ModelError, match=r"answer did not answer within 0\.05 s"
    ) as err:
        ask(opened(code, timeout=0.05))
    assert err.value.retryable
    assert time.perf_counter() - begun < 0.25
    for thread in threading.enumerate():
        if thread.name == "llm-call":
            thread.join()


@pytest.mark.parametrize(
    ("code", "attribute", "finding", "hint"),
    [
        (
            "import no_such_module",
            "answer",
            "No module named 'no_such_module'",
            "looked",
        ),
        ("1 / 0", "answer", "ZeroDivisionError: division by zero", "looked in"),
        ("raise SystemExit(2)", "answer", "SystemExit: 2", "looked in"),
        ("def (", "answer", "SyntaxError: invalid syntax", "looked in"),
        ("def answers(r): ...", "answer", "no attribute 'answer'", "mean 'answers'?"),
        ("answer = 3", "answer", "is not callable: it is a int", ""),
    ],
)
def test_an_application_that_cannot_be_had_is_a_located_mistake(
    opened: Opener, code: str, attribute: str, finding: str, hint: str
) -> None:
    """The variant's line, the reason, and what is there instead."""
    with pytest.raises(InputError) as caught:
        opened(code, attribute)
    (problem,) = caught.value.problems
    assert problem.location.line == 7
    assert finding in problem.finding
    assert hint in problem.hint


@pytest.mark.parametrize("target", ["app", "app:", ":answer", ""])
def test_a_target_names_module_and_attribute(tmp_path: Path, target: str) -> None:
    """Anything else is a mistake with an example."""
    place = Location(path=tmp_path / "llm_variants.yaml")
    with pytest.raises(InputError, match="does not name a callable"):
        CallableModel(Called(target, place, tmp_path))


def test_a_namesake_from_another_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two suites with an `assistant.py` each must not share the first one."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        code = f"def answer(request): return {folder!r}"
        (tmp_path / folder / "namesake_app.py").write_text(code)

    def open_in(folder: str) -> CallableModel:
        place = Location(path=tmp_path / folder / "llm_variants.yaml")
        return CallableModel(Called("namesake_app:answer", place, tmp_path))

    assert ask(open_in("a")).text == "a"
    with pytest.raises(InputError, match="was imported under that name"):
        open_in("b")
    assert ask(open_in("a")).text == "a"
    del sys.modules["namesake_app"]


CALL = ToolCall(name="log", arguments={"urgent": True})


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("text", Answer(text="text")),
        ("", Answer(text="")),
        (Answer(text="a", stored=True), Answer(text="a")),
        ({"text": "a"}, Answer(text="a")),
        ({"tool_calls": [CALL.to_dict()]}, Answer(tool_calls=(CALL,))),
        ({"tool_calls": [CALL, {"name": "log"}]},
         Answer(tool_calls=(CALL, ToolCall(name="log", arguments={})))),
        ({"text": None, "tool_calls": None, "contexts": None}, Answer()),
        ({"contexts": ["p", {"text": "q", "source": "s"}, Context(text="r")]},
         Answer(contexts=(Context(text="p"), Context(text="q", source="s"),
                          Context(text="r")))),
        ({"tokens": {"prompt": 3}}, Answer(tokens=Tokens(prompt=3))),
        ({"tokens": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}},
         Answer(tokens=Tokens(prompt=3, completion=1))),
        ({"text": "a", "usd": 1, "seconds": 0.5}, Answer(text="a", usd=1, seconds=0.5)),
        ({"text": "a", "saved_usd": -1, "tokens": {"written": 4}},
         Answer(text="a", saved_usd=-1, tokens=Tokens(written=4))),
    ],
)  # fmt: skip
def test_what_an_application_may_return(returned: object, expected: Answer) -> None:
    """Records, or what they are made of."""
    assert answer_from(returned, "app:answer") == expected


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({"text": 45}, "has int as its text"),
        ({"contexts": "one passage"}, "has str where a list is expected"),
        ({"contexts": [3]}, "has int as a context"),
        ({"contexts": [{"source": "s"}]}, "lacks 'text'"),
        ({"tool_calls": ["log"]}, "has str as a tool call"),
        ({"tool_calls": [{"arguments": {}}]}, "lacks 'name'"),
        ({"tool_calls": [{"name": "a", "arguments": 3}]}, "has int as arguments"),
        ({"tool_calls": [{"name": "a", "arguments": {"x": {1}}}]}, "set is not JSON"),
        ({"tokens": 3}, "has int as its tokens"),
        ({"tokens": {"prompt": "3"}}, "has str as its prompt tokens"),
        ({"usd": "free"}, "has str as usd"),
        ({"usd": True}, "has bool as usd"),
        ({"saved_usd": "much"}, "has str as saved_usd"),
        ({"seconds": float("nan")}, "not JSON compliant"),
    ],
)
def test_what_an_application_may_not_return(
    returned: dict[str, object], message: str
) -> None:
    """The part that is wrong is named, in dicts and in answers alike."""
    for value in (returned, Answer(**returned)):  # type: ignore[arg-type]
        with pytest.raises(ModelError, match=message) as caught:
            answer_from(value, "app:answer")
        assert caught.value.message.startswith("app:answer returned an answer that")


def test_a_variant_opens_as_the_model_it_names(tmp_path: Path) -> None:
    """A script, a callable, an endpoint; nothing to ask is a mistake."""
    place = Location(path=tmp_path / "llm_variants.yaml", line=3)
    script = tmp_path / "answers.yaml"
    script.write_text("rules: [{text: ok}]")

    def kind(**parts: object) -> type:
        variant = Variant(name="v", location=place, kind="prompt", **parts)  # type: ignore[arg-type]
        return type(open_model(variant, timeout=5, root=tmp_path))

    assert kind(script=script) is ScriptedModel
    assert kind(call="textwrap:dedent") is CallableModel
    local = Endpoint(model="openai/x", api_base="http://127.0.0.1:9/v1")
    assert kind(live=local) is DirectModel
    assert kind(live=local, lane="litellm") is LitellmModel
    with pytest.raises(InputError, match=r"llm_variants\.yaml:3: variant 'v' has noth"):
        kind()
