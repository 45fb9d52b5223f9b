"""What tells processes, and the claims they leave, from one another."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_llm_diagnosis.plugin.distribution import has_ended, owner_of
from pytest_llm_diagnosis.plugin.links import Links
from pytest_llm_diagnosis.plugin.shared_store import STORE_FOLDER, open_store


def owner(pid: int) -> str:
    """Return the name of a worker with that process number."""
    return f"gw0@{platform.node()}-{pid}"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_killed_process_has_ended_before_it_is_reaped() -> None:
    """Its parent, xdist's controller, asks for its exit code only at the end."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert not has_ended(owner(process.pid))
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert has_ended(owner(process.pid))
    process.communicate()
    assert has_ended(owner(process.pid))


@pytest.mark.parametrize("opened", [False, True])
def test_a_controller_releases_claims(
    request: pytest.FixtureRequest, tmp_path: Path, *, opened: bool
) -> None:
    """Those of the worker that ended, whether or not it has the store open itself."""
    cache = pytest.Cache(tmp_path / "cache", request.config, _ispytest=True)
    links = Links(cache)
    store = open_store(cache.mkdir(STORE_FOLDER), run_started=0.0, fresh=False)
    gateway = SimpleNamespace(id="gw0")
    node = SimpleNamespace(gateway=gateway, workerinfo={"pid": os.getpid()})
    name = owner_of(node)
    assert name == owner(os.getpid())
    store.claim("k1", name, 1000)
    store.claim("k2", "other", 1000)
    if opened:
        links.desk.reply('["open", 0.0, false]')
    links.release(name)
    assert store.owners() == {"other"}
    links.close()
    store.close()
