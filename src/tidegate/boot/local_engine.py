"""The small real model, as a child process: llama.cpp's own server inside `xllamacpp`.

    python -m tidegate.boot.local_engine --model FILE.gguf --port PORT --parent-fd FD

It listens on loopback only, prints one line, `ready http://127.0.0.1:PORT`, when it answers, and
ends when the other end of FD (a pipe of its parent's) closes: however the parent dies, no engine
is left behind. Nothing else imports this module, so only the child pays for loading the engine.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

import xllamacpp

ALIAS = "smollm2-135m"
CONTEXT_TOKENS = 8192  # what the model was trained for; the slots share it
SLOTS = 4
LOOPBACK = "127.0.0.1"


def parameters(model: Path, port: int) -> xllamacpp.CommonParams:
    """One thread, so that the gateway beside it keeps a core; nothing fetched, no page served."""
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {ALIAS}
    params.hostnames = [LOOPBACK]
    params.port = port
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = SLOTS
    params.kv_unified = True
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.endpoint_metrics = True
    params.endpoint_slots = True
    params.use_jinja = True
    params.offline = True
    params.ui = False
    return params


def wait_for_end(parent_fd: int) -> None:
    """Block until the parent's end of the pipe is closed."""
    while os.read(parent_fd, 1):
        pass


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tidegate.boot.local_engine")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--parent-fd", type=int, required=True)
    asked = parser.parse_args(arguments)
    # Ctrl-C in a terminal reaches the whole group; the parent ends us when it has drained.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        server = xllamacpp.Server(parameters(asked.model, asked.port))
    except RuntimeError as error:
        sys.stderr.write(f"the local model does not start on port {asked.port}: {error}\n")
        return 1
    sys.stdout.write(f"ready {server.listening_address}\n")
    sys.stdout.flush()
    wait_for_end(asked.parent_fd)
    os._exit(0)  # it has nothing to save, and on a busy machine the engine's own end may hang


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
