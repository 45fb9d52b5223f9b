"""litellm's import, begun while pytest still collects.

It takes seconds, and so does a large collection: where a call through litellm is
certain to follow, both go on at once.  Certain means that nothing was asked for
that could keep the call away:

- answers are neither replayed nor stored: there is no store yet, or
  `--llm-answers=fresh`;
- the run makes calls: no `--collect-only` or the like, no `--llm-max-calls=0`;
- every item runs, and runs here: nothing is selected by name, mark, node id or
  earlier failures, and no xdist worker may be the one that asks;
- a case that is not skipped asks a variant whose calls, or the embeddings of its
  retrieval, take litellm's lane, and no hook prepares the environment of live calls
  first.

An error elsewhere may still end the run, and then the import is given up.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

import pytest

from pytest_llm_diagnosis.records import Variant

from .distribution import is_controller, is_worker
from .options import RunOptions

STORE: Final = ("llm-diagnosis", "answers.sqlite")
"""The folder of the answer store in pytest's cache, and its file."""

# What makes pytest run less than it collects, by the names of its options.
_NARROWING = (
    "collectonly",
    "deselect",
    "keyword",
    "lf",
    "llm_shard",
    "markexpr",
    "setuponly",
    "setupplan",
    "stepwise",
)


class Warming:
    """Imports litellm in a thread, once; nothing waits for it but its end."""

    def __init__(self, config: pytest.Config, options: RunOptions) -> None:
        self._config = config
        self._options = options
        self._import: _Import | None = None

    def foresee(self, variants: Iterable[Variant]) -> None:
        """Begin where a call of one of these variants is certain and litellm's."""
        if self._import is not None or not self._is_certain():
            return
        from pytest_llm_diagnosis.models import lane_of

        if any(lane_of(one) == "litellm" or _embeds(one) for one in variants):
            self._import = _Import()
            self._import.start()

    def stop(self) -> None:
        """Give up an import that still goes on, and wait until it has ended.

        A thread that is inside an extension module when Python ends can take the
        whole process down with it.
        """
        if self._import is not None:
            self._import.give_up()

    def _is_certain(self) -> bool:
        config, options = self._config, self._options
        return (
            options.answers != "replay"
            and options.max_calls != 0
            and not is_worker(config)
            and not is_controller(config)
            and not any(config.getoption(name, None) for name in _NARROWING)
            and not any("::" in argument for argument in config.args)
            and not config.hook.pytest_llm_live_call.get_hookimpls()
            and (options.answers == "fresh" or not self._has_store())
        )

    def _has_store(self) -> bool:
        cache = getattr(self._config, "cache", None)
        if cache is None:
            return False
        folder, name = STORE
        try:
            return bool((cache.mkdir(folder) / name).exists())
        except OSError:
            return False


def _embeds(variant: Variant) -> bool:
    """Whether a variant retrieves by the embeddings of an endpoint."""
    embeddings = variant.retrieve.embeddings if variant.retrieve else None
    return embeddings is not None and embeddings.live is not None


class _GivenUpError(BaseException):
    """The run ended before litellm was needed; no `except` of litellm's holds it."""


class _Import(threading.Thread):
    """A thread that imports litellm, and a finder that can end that."""

    def __init__(self) -> None:
        super().__init__(name="llm-warming", daemon=True)
        self._given_up = False

    def run(self) -> None:
        from pytest_llm_diagnosis.models import warm

        sys.meta_path.insert(0, self)
        try:
            # What goes wrong here goes wrong again, and is told, at the first call.
            with contextlib.suppress(Exception, _GivenUpError):
                warm()
        finally:
            sys.meta_path.remove(self)

    def find_spec(
        self,
        name: str,
        _path: Sequence[str] | None = None,
        _target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find nothing; refuse this thread's next import once it is given up."""
        if self._given_up and threading.current_thread() is self:
            raise _GivenUpError(f"{name} is no longer needed")
        return None

    def give_up(self) -> None:
        """End the import at the next module it reaches."""
        self._given_up = True
        self.join()
