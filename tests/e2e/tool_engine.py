"""The small real model, with a template by which it calls tools.

    python -m tests.e2e.tool_engine --model FILE.gguf --port PORT --parent-fd FD

`hermes.jinja` writes tools and calls as Hermes does, which llama.cpp reads and keeps to each tool's
schema by a grammar; by the model's own template it is told of no tool. 135 million parameters do
not follow instructions, but they go on as before: so this one shows calls of another tool first.
"""

import sys
from pathlib import Path
from typing import Any

from tidegate.boot import local_engine, local_model

TEMPLATE = Path(__file__).with_name("hermes.jinja")
_plain = local_engine.parameters


def parameters(model: Path, port: int) -> Any:
    found = _plain(model, port)
    found.chat_template = TEMPLATE.read_text()
    return found


def command(port: int, parent_fd: int) -> list[str]:
    """As the local model's own. RuntimeError where it is not installed."""
    python, _, _, *options = local_model.command(port, parent_fd)
    return [python, "-m", "tests.e2e.tool_engine", *options]


if __name__ == "__main__":
    local_engine.parameters = parameters
    sys.exit(local_engine.main(sys.argv[1:]))
