"""A control and a gateway that answer from tables, prompts in a folder, and a suite: for `eval`,
`gate` and `judge`."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from tests.cli.conftest import FakeControl
from tests.cli.test_key import KEY, VIEW

PROMPT = "---\ninputs:\n  question: {type: string}\n%s---\n{# role: system #}\n%s\n"
USER = "{# role: user #}\n{{ question }}\n"
SUITE = """\
name: facts
prompt: support
repeats: 1
cases:
"""
CASE = "  - {id: case-%d, variables: {question: What is %d?}, expected: good, checks: [contains]}\n"
Say = Callable[[dict[str, Any]], Any]


class _Server(http.server.ThreadingHTTPServer):
    # As many as a run asks at once: who finds no place among five tries again after a second.
    request_queue_size = 128


@contextmanager
def answering(say: Say) -> Iterator[str]:
    """The address of a gateway that says what `say` makes of a body: a text, a whole answer, or
    (status, code)."""

    class Gateway(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
            said, status = say(body), 200
            if isinstance(said, tuple):
                status, answer = said[0], {"error": {"message": "no", "code": said[1]}}
            elif isinstance(said, dict):
                answer = said
            else:
                message = {"role": "assistant", "content": said}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                usage = {"prompt_tokens": 10, "completion_tokens": 5}
                answer = {"model": "m-1", "choices": [choice], "usage": usage}
            data = msgspec.json.encode(answer)
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Gateway)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def lends_keys(control: FakeControl) -> None:
    """Control makes and revokes the key of a run, and knows one route of the prompt."""
    made = {"key": KEY, "record": VIEW, "replaces": None, "waiting_for": []}
    control.answers["GET /api/receipts"] = {"receipts": [], "cursor": 0}
    control.answers["POST /api/keys"] = made
    control.answers["POST /api/keys/abcdefgh/revoke"] = {"record": VIEW, "waiting_for": []}
    control.answers["GET /api/judges"] = {"judges": [], "seats": []}
    shown = {"name": "support", "versions": ["v1"], "tags": [], "routes": {"chat": "v1"}}
    control.answers["GET /api/prompts/support"] = shown
    control.answers["GET /api/slo"] = {"routes": []}


def written(folder: Path, cases: int = 100, *, stable: str | None = "v1") -> Path:
    """Two versions, of which `v2` says so, and a suite of so many cases."""
    place = folder / "prompts" / "support"
    place.mkdir(parents=True)
    suites = "suites: [facts]\n"
    (place / "v1.jinja2").write_text(PROMPT % (suites, "You know facts.") + USER)
    (place / "v2.jinja2").write_text(PROMPT % (suites, "You know facts!") + USER)
    (place / "tags.yaml").write_text("{}\n" if stable is None else f"stable: {stable}\n")
    (folder / "evals").mkdir()
    suite = folder / "evals" / "facts.yaml"
    suite.write_text(SUITE + "".join(CASE % (n, n) for n in range(cases)))
    return suite


def is_candidate(body: dict[str, Any]) -> bool:
    return "facts!" in body["messages"][0]["content"]
