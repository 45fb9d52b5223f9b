"""What passes between an xdist controller and its workers.

Results travel in report properties.  What belongs to a whole process, such as
its call counts, is handed over when the worker ends.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import pytest

if TYPE_CHECKING:
    # A controller needs this module also where no worker finds an eval.
    from pytest_llm_diagnosis.records import JsonObject

_OUTPUT = "llm_output"
_ROOT = "llm_root"
_STARTED = pytest.StashKey[float]()


class Place(NamedTuple):
    """A folder, and what tells it from one of that name on another machine."""

    folder: str
    device: int
    inode: int

    @classmethod
    def of(cls, folder: Path) -> Place:
        """Return the place of a folder that exists."""
        found = folder.stat()
        return cls(str(folder), found.st_dev, found.st_ino)

    @property
    def is_here(self) -> bool:
        """Whether this process sees the same folder."""
        try:
            return Place.of(Path(self.folder)) == self
        except OSError:
            return False


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is an xdist worker."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether this process hands its tests to xdist workers."""
    return bool(config.getoption("dist", "no") != "no" and not is_worker(config))


def is_elsewhere(config: pytest.Config) -> bool:
    """Whether this is a worker on another copy of the suite than its controller."""
    workerinput = cast("dict[str, object]", getattr(config, "workerinput", {}))
    root = cast("tuple[str, int, int] | None", workerinput.get(_ROOT))
    return root is not None and Place(*root)[1:] != Place.of(config.rootpath)[1:]


def worker_count(config: pytest.Config) -> int:
    """Return how many processes share the work; 1 without xdist."""
    workerinput = cast("dict[str, int]", getattr(config, "workerinput", {}))
    return workerinput.get("workercount", 1)


def owner_name(config: pytest.Config) -> str:
    """Return a name for this process, unique on this machine."""
    workerinput = cast("dict[str, str]", getattr(config, "workerinput", {}))
    return _owner(workerinput.get("workerid", "main"), os.getpid())


def owner_of(node: object) -> str | None:
    """Return the `owner_name` of a worker on this machine, None before it is ready."""
    info = cast("dict[str, int]", getattr(node, "workerinfo", {}))
    return _owner(worker_name(node), info["pid"]) if "pid" in info else None


def _owner(name: str, pid: int) -> str:
    return f"{name}@{platform.node()}-{pid}"


def has_ended(owner: str) -> bool:
    """Whether the process that an `owner_name` tells of is certainly gone.

    Of other machines nothing is known, nor of processes on Windows, where asking
    for one ends it.  One that is killed leaves its number until its parent, such
    as xdist's controller, asks for its exit code.
    """
    head, _, pid = owner.rpartition("-")
    if sys.platform == "win32" or not head.endswith(f"@{platform.node()}"):
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return _is_zombie(int(pid))


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended and only its number is left; False if unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    # The name before it, in parentheses, may hold anything.
    return stat.rpartition(b")")[2].split()[:1] == [b"Z"]


def run_started(config: pytest.Config) -> float:
    """Return when the run began, in seconds since the epoch, alike in all workers."""
    workerinput = cast("dict[str, float]", getattr(config, "workerinput", {}))
    if "llm_started" in workerinput:
        return workerinput["llm_started"]
    return config.stash.setdefault(_STARTED, time.time())


def describe_run(node: object) -> None:
    """Tell an xdist worker which run it belongs to; `node` is its controller."""
    config = cast("pytest.Config", getattr(node, "config"))  # noqa: B009 - xdist is optional and untyped
    workerinput = cast("dict[str, object]", getattr(node, "workerinput"))  # noqa: B009 - likewise
    workerinput["llm_started"] = run_started(config)
    workerinput[_ROOT] = tuple(Place.of(config.rootpath))


def hand_over(config: pytest.Config, data: JsonObject) -> None:
    """Give the controller what this worker knows; JSON keeps any text intact."""
    output = cast("dict[str, str]", getattr(config, "workeroutput"))  # noqa: B009 - only workers have it
    output[_OUTPUT] = json.dumps(data)


def has_told(node: object) -> bool:
    """Whether a worker handed over what it knows."""
    return _OUTPUT in getattr(node, "workeroutput", {})


def has_crashed(node: object) -> bool:
    """Whether a worker ended without a word; one without evals tells xdist's part."""
    return not hasattr(node, "workeroutput")


def taken_over(node: object) -> JsonObject | None:
    """Return what a worker handed over, None if it did not."""
    output = cast("dict[str, str]", getattr(node, "workeroutput", {}))
    text = output.get(_OUTPUT)
    return cast("JsonObject", json.loads(text)) if text else None


def worker_name(node: object) -> str:
    """Return the name under which xdist shows a worker."""
    return str(getattr(getattr(node, "gateway", None), "id", node))
