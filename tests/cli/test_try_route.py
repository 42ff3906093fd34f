"""`tidegate try`: queries read, sent through a real socket, and told of."""

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl

from tidegate.cli.try_route import Query, read_queries, report
from tidegate.cli.try_route import Result as Sent
from tidegate.core.receipt import Receipt

LINES = """\
"a text"

{"prompt": "a prompt", "max_tokens": 5}
{"messages": [{"role": "user", "content": "fail"}], "temperature": 0}
"""


def test_each_form_of_a_line_becomes_a_chat_body(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(LINES)
    queries = read_queries(file, "chat", stream=True)
    assert [query.line for query in queries] == [1, 3, 4]
    assert all(q.body["model"] == "chat" and q.body["stream"] is True for q in queries)
    assert queries[0].body["messages"] == [{"role": "user", "content": "a text"}]
    assert queries[1].body["max_tokens"] == 5
    assert "prompt" not in queries[1].body
    assert queries[2].body["temperature"] == 0


@pytest.mark.parametrize("line", ["{", "5", "[]", "{}", '{"prompt": 5}', '{"messages": "x"}'])
def test_a_line_that_is_no_query_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(f'"good"\n{line}\n')
    with pytest.raises(click.ClickException, match=r"q\.jsonl:2"):
        read_queries(file, "chat", stream=False)


def test_a_file_without_queries_says_so(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text("\n\n")
    with pytest.raises(click.ClickException, match="holds no query"):
        read_queries(file, "chat", stream=False)


def receipt(**given: object) -> Receipt:
    return Receipt("id", 0.0, "gateway-0", "chat", **given)  # type: ignore[arg-type]


def test_the_report_keeps_unknown_apart_and_names_the_slowest_five() -> None:
    results = [Sent(Query(n, {}, f"q{n}"), n / 10) for n in range(1, 21)]
    results[0].receipt = receipt(cost_nanousd=1_000_000, input_tokens=10, output_tokens=4)
    results[1].receipt = receipt()
    results.append(Sent(Query(21, {}, "bad"), 9.0, error_code="upstream_error"))
    text = report(results)
    assert "21 queries, 1 failed" in text
    assert "failed with upstream_error: 1" in text
    assert text.splitlines()[2].split() == ["total", "1.00", "s", "1.90", "s", "20"]
    assert "average tokens: 10.0 in, 4.0 out" in text
    assert "cost: $0.001, 1 of unknown cost" in text
    assert [line.split()[3] for line in text.splitlines()[-5:]] == ["20", "19", "18", "17", "16"]


def test_a_report_of_nothing_but_failures() -> None:
    text = report([Sent(Query(1, {}, "q"), 1.0, error_code="x")])
    assert "cost: unknown" in text
    assert "slowest" not in text


class Gateway(http.server.BaseHTTPRequestHandler):
    """Answers queries; one that says `fail` gets an error of the gateway's shape."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
        failed = body["messages"][0]["content"] == "fail"
        answer = b'data: {"choices":[]}\n\ndata: [DONE]\n\n' if body["stream"] else b"{}"
        if failed:
            answer = b'{"error":{"message":"no","code":"upstream_error"}}'
        self.send_response(502 if failed else 200)
        self.send_header("content-length", str(len(answer)))
        self.send_header("x-request-id", "abc")
        self.end_headers()
        self.wfile.write(answer)


@pytest.fixture
def gateway() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("options", [(), ("--stream",)])
def test_a_run_makes_its_own_key_and_revokes_it(
    run: Callable[..., Result],
    control: FakeControl,
    gateway: str,
    tmp_path: Path,
    options: tuple[str, ...],
) -> None:
    from tests.cli.test_key import VIEW, made

    control.answers["POST /api/keys"] = made()
    control.answers["POST /api/keys/abcdefgh/revoke"] = {"record": VIEW, "waiting_for": []}
    control.answers["GET /api/receipts/abc"] = receipt(cost_nanousd=5, output_tokens=3)
    file = tmp_path / "q.jsonl"
    file.write_text(LINES)
    result = run("try", "chat", str(file), "--gateway", gateway, *options)
    assert result.exit_code == 0, result.output
    assert "3 queries, 1 failed" in result.stdout
    assert "failed with upstream_error: 1" in result.stdout
    assert ("first token  -" in result.stdout) is not bool(options)
    assert str(control.asked[-1].url).endswith("/revoke")
    assert control.bodies()[0]["routes"] == ["chat"]  # type: ignore[index]


def test_a_gateway_that_is_away_fails_every_query(
    run: Callable[..., Result], control: FakeControl, tmp_path: Path
) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('"a"\n')
    result = run("try", "chat", str(file), "--gateway", "http://127.0.0.1:9", "--key", "k")
    assert result.exit_code == 1
    assert "failed with gateway_not_reached: 1" in result.stdout
    assert control.asked == []
