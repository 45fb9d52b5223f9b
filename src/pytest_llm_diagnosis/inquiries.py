"""What checks ask models of their own: a judge's opinion, a similarity."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence

from .checks import Check
from .checks.inquiring import Inquiring, Reply
from .engine import Engine, Urgency
from .errors import (
    InputError,
    Location,
    ModelError,
    NotAskedError,
    ReplayMissError,
)
from .grading import Replies
from .records import (
    Answer,
    Endpoint,
    Inquiry,
    JsonObject,
    Request,
    Variant,
    message_text,
)
from .requests import Prepared, keyed

_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")


class Inquirer:
    """Asks, through the engine, what the checks of a case need to know.

    `fill` fills the `${NAME}` of an endpoint in, and raises `InputError`; `use`
    lets the engine know a model before its first request.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        fill: Callable[[str, Location], str],
        use: Callable[[Variant], None],
    ) -> None:
        self._engine = engine
        self._fill = fill
        self._use = use
        self._variants: dict[tuple[Location, str], Variant] = {}

    async def replies(
        self, prepared: Prepared, answer: Answer, urgency: Urgency
    ) -> Replies:
        """Return what every asking check of a case needs; probes ask no judge.

        Belongs to the engine's loop.
        """
        places = [
            place
            for place, check in enumerate(prepared.checks)
            if isinstance(check, Inquiring)
            and not (check.judges and urgency is not Urgency.FIRST)
        ]
        found = await asyncio.gather(
            *(
                self._ask(prepared, prepared.checks[place], answer, urgency)
                for place in places
            )
        )
        return dict(zip(places, found, strict=True))

    async def _ask(
        self, prepared: Prepared, check: Check, answer: Answer, urgency: Urgency
    ) -> Sequence[Reply]:
        if not isinstance(check, Inquiring):
            return ()
        question = "\n".join(map(message_text, prepared.case.messages))
        try:
            inquiries = check.inquiries(answer, question)
        except Exception as error:  # noqa: BLE001 - a check may be a user's own code
            return [ModelError(f"the check raised {type(error).__name__}: {error}")]
        return await asyncio.gather(
            *(
                self._reply(inquiry, prepared, check.spec.location, urgency)
                for inquiry in inquiries
            )
        )

    async def _reply(
        self, inquiry: Inquiry, prepared: Prepared, place: Location, urgency: Urgency
    ) -> Reply:
        try:
            variant = self._variant(inquiry, place)
            request = inquiry_request(inquiry, prepared, variant)
            return await self._engine.obtain(request, urgency)
        except InputError as error:
            return ModelError(error.problems[0].finding)
        except (NotAskedError, ReplayMissError):
            raise  # nothing is known: that is no reply
        except ModelError as error:
            return error

    def _variant(self, inquiry: Inquiry, place: Location) -> Variant:
        """Return the model that is asked, as a variant of its own."""
        api_base = inquiry.api_base
        asked = f"{_ROLES[inquiry.kind]} {inquiry.model} {api_base or ''}"
        name = _NOT_IN_A_NAME.sub("-", asked.strip())
        if (place, name) not in self._variants:
            params: JsonObject = {"temperature": 0} if inquiry.kind == "chat" else {}
            variant = Variant(
                name=name,
                location=place,
                kind="prompt",
                written=Endpoint(model=inquiry.model, api_base=api_base, params=params),
                live=Endpoint(
                    model=self._fill(inquiry.model, place),
                    api_base=api_base and self._fill(api_base, place),
                    params=params,
                ),
                compares=inquiry.kind == "similarity",
            )
            self._use(variant)
            self._variants[place, name] = variant
        return self._variants[place, name]


_ROLES = {"chat": "judge", "similarity": "similar"}


def inquiry_request(inquiry: Inquiry, prepared: Prepared, variant: Variant) -> Request:
    """Return the request of an inquiry, with its key."""
    first, second = inquiry.texts
    opening = "system" if inquiry.kind == "chat" else "user"
    request = Request(
        key="",
        case=prepared.nodeid,
        variant=variant.name,
        messages=(
            {"role": opening, "content": first},
            {"role": "user", "content": second},
        ),
        params=variant.written.params if variant.written else {},
        trial=inquiry.vote,
        variants_file=str(variant.location.path),
        inquires=True,
    )
    return keyed(request, variant)
