"""A Bedrock of our own: takes requests as AWS does, signature and all, and answers from
`tests/bytes/bedrock`.

Whether a signature is right is reckoned by botocore, from the bytes that came over the socket. What
AWS's model of the wire has against a body is a ValidationException.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.providers.bedrock_wire import BYTES, operation, problems, stream_of

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/bedrock/aws4_request, "
    r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})"
)
STREAM = "application/vnd.amazon.eventstream"


class FakeBedrock:
    """`answers` names the files of the next answers; `bodies` are the requests taken."""

    def __init__(self, key: tuple[str, str, str | None], bearer: str | None = None) -> None:
        self.key = key
        self.bearer = bearer
        self.answers = ["chat"]
        self.bodies: list[Any] = []
        self.paths: list[str] = []

    def refuses(self, path: str, headers: dict[str, str], body: bytes) -> str | None:
        """The type of the exception that a request gets, if any."""
        told = headers.get("authorization", "")
        if self.bearer is not None and told == f"Bearer {self.bearer}":
            return None
        match = _AUTHORIZATION.fullmatch(told)
        if match is None:
            return "MissingAuthenticationTokenException"
        key_id, _, region, signed, signature = match.groups()
        if key_id != self.key[0] or headers.get("x-amz-security-token") != self.key[2]:
            return "UnrecognizedClientException"
        if any(name.startswith("x-amz-") and name not in signed.split(";") for name in headers):
            return "InvalidSignatureException"
        request = AWSRequest("POST", f"http://{headers['host']}{path}", data=body)
        for name in signed.split(";"):
            request.headers[name] = headers[name]
        request.context["timestamp"] = headers["x-amz-date"]
        signer = auth.SigV4Auth(Credentials(*self.key), "bedrock", region)
        reckoned = signer.signature(
            signer.string_to_sign(request, signer.canonical_request(request)), request
        )
        return None if reckoned == signature else "InvalidSignatureException"

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, bytes]:
        """(status, headers, body)."""
        no = self.refuses(path, headers, body)
        if no is not None:
            return 403, {"x-amzn-errortype": no}, b'{"message":"no"}'
        verb = path.rpartition("/")[2]
        wanted = operation("ConverseStream" if verb == "converse-stream" else "Converse")
        said = msgspec.json.decode(body)
        found = problems(wanted.input_shape, said)
        if found:
            told = msgspec.json.encode({"message": "; ".join(found)})
            return 400, {"x-amzn-errortype": "ValidationException:http://x/"}, told
        self.bodies.append(said)
        self.paths.append(path)
        name = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if verb == "converse-stream":
            return 200, {"content-type": STREAM}, stream_of(name)
        return 200, {"content-type": "application/json"}, (BYTES / f"{name}.json").read_bytes()


@contextmanager
def serving(bedrock: FakeBedrock) -> Iterator[str]:
    """Its address, for as long as it is needed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, answer = bedrock.answer(self.path, headers, body)
            self.send_response(status)
            for name, value in {**more, "x-amzn-requestid": "r-1"}.items():
                self.send_header(name, value)
            if more.get("content-type") == STREAM:
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for at in range(0, len(answer), 100):
                    part = answer[at : at + 100]
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")
            else:
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
