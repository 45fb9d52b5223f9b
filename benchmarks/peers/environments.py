"""Where the peers are installed: one folder each, kept between runs.

Releases are not pinned: the newest that installs is the one a user gets, and
the versions are printed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .work import KEY, UnavailableError

INSTALL_LIMIT = 900.0
"""Seconds that one install may take."""

_NOT_PASSED_ON = (
    # They would keep the peers, or us, from using compiled modules.
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    # They would change what the measured commands do.
    "PYTEST_ADDOPTS",
    "PYTHONPATH",
    "VIRTUAL_ENV",
)
_VERSIONS = """\
import importlib.metadata, platform, sys
print(f"Python {platform.python_version()}", end="")
for name in sys.argv[1:]:
    print(f", {name} {importlib.metadata.version(name)}", end="")
"""


def default_folder() -> Path:
    """Return the folder of environments in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "pytest-llm-diagnosis-peers"


def python_with(folder: Path, requirements: Sequence[str]) -> Path:
    """Return a Python that has these packages; installs them when it must.

    Raises `UnavailableError` when they cannot be installed.
    """
    python = folder / "bin" / "python"
    wanted = "\n".join(requirements)
    if _installed(folder, wanted):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    if uv := shutil.which("uv"):
        run_quietly(uv, "venv", "--quiet", "--python", sys.executable, folder)
        # Compiled at once, as pip does, so that no run pays for it.
        into = ("--quiet", "--compile-bytecode", "--python", python)
        run_quietly(uv, "pip", "install", *into, *requirements)
    else:
        run_quietly(sys.executable, "-m", "venv", folder)
        run_quietly(python, "-m", "pip", "install", "--quiet", *requirements)
    _mark(folder).write_text(wanted, encoding="utf-8")
    return python


def node_package(folder: Path, name: str) -> Path:
    """Return the folder of an npm package; installs it when it must.

    Raises `UnavailableError` when it cannot be installed.
    """
    package = folder / "node_modules" / name
    if _installed(folder, name):
        return package
    if (npm := shutil.which("npm")) is None or shutil.which("node") is None:
        raise UnavailableError("node and npm are not installed")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run_quietly(npm, "install", "--no-audit", "--no-fund", "--prefix", folder, name)
    _mark(folder).write_text(name, encoding="utf-8")
    return package


def python_versions(python: Path | str, names: Sequence[str]) -> str:
    """Return the versions of Python and of packages, as one line."""
    return run_quietly(python, "-c", _VERSIONS, *names)


def node_versions(package: Path) -> str:
    """Return the versions of Node and of a package, as one line."""
    told = json.loads((package / "package.json").read_text(encoding="utf-8"))
    node = run_quietly("node", "--version").strip()
    return f"Node {node}, {told['name']} {told['version']}"


def environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a measured command, whose home is a temporary folder."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON
    }
    return kept | {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "NO_PROXY": "127.0.0.1",
        "OPENAI_API_KEY": KEY,
        **extra,
    }


def _installed(folder: Path, wanted: str) -> bool:
    mark = _mark(folder)
    return mark.is_file() and mark.read_text(encoding="utf-8") == wanted


def _mark(folder: Path) -> Path:
    """Return the file that says what was installed to the end."""
    return folder / "installed.txt"


def run_quietly(*command: str | Path) -> str:
    """Return what an unmeasured command prints.

    Raises `UnavailableError` when it fails or takes too long.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=INSTALL_LIMIT
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(
            f"{command[0]} took over {INSTALL_LIMIT:.0f} s"
        ) from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise UnavailableError(
            " ".join([f"{Path(command[0]).name} failed:", *last])
        ) from None
    return done.stdout
