"""What people's ways lead to, on real sockets: an HTTP server and a mail server that can fail."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from msgspec import Struct

# What the server does with a request: a status, or one of these words.
TAKE, LOSE_ANSWER, HANG_UP, DRIP = 200, "take it and say nothing", "hang up", "drip"
Fault = int | str


class Request(Struct):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class _Quiet(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        return


class Http:
    """Answers each request by the next of `faults`, then takes the rest. `taken` is what it
    accounts for as told; `asked` all that it read."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.faults: list[Fault] = []
        self.taken: list[Request] = []
        self.asked: list[Request] = []
        self.headers: list[str] = []
        self.said = b""
        self.ended = threading.Event()
        outer = self

        class Answering(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                if tls is not None:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                    self.setup()
                request = _read(self.rfile)
                if request is None:
                    return
                fault = outer.faults.pop(0) if outer.faults else TAKE
                outer.asked.append(request)
                if fault in (TAKE, LOSE_ANSWER, DRIP):
                    outer.taken.append(request)
                outer._answer(fault, self.wfile.write)

            def finish(self) -> None:
                super().finish()
                self.request.close()

        self.server = _Quiet(("127.0.0.1", 0), Answering)
        self.port: int = self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _answer(self, fault: Fault, write: Callable[[bytes], Any]) -> None:
        if fault == DRIP:
            while not self.ended.wait(0.02):
                write(b"H")
        elif isinstance(fault, int):
            head = [f"HTTP/1.1 {fault} Said", f"content-length: {len(self.said)}", *self.headers]
            write("\r\n".join([*head, "", ""]).encode() + self.said)


def _read(file: Any) -> Request | None:
    head: list[str] = []
    while line := file.readline(65536).decode().rstrip("\r\n"):
        head.append(line)
    if not head:
        return None
    method, path, _ = head[0].split(" ", 2)
    pairs = (line.partition(":") for line in head[1:])
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Request(method, path, headers, file.read(int(headers.get("content-length", 0))))


class Mail(Struct):
    sender: str
    to: list[str]
    data: str
    encrypted: bool
    user: str | None


class MailServer:
    """A small SMTP server. `refuses` are recipients that it does not know; `says` replaces the
    answer to a command, and None there hangs up."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, implicit: bool = False) -> None:
        self.taken: list[Mail] = []
        self.refuses: dict[str, int] = {}
        self.says: dict[str, str | None] = {}
        self.logins: list[str] = []
        outer = self

        class Talking(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                sock = self.request
                if implicit and tls is not None:
                    sock = tls.wrap_socket(sock, server_side=True)
                outer._talk(sock, tls, implicit)

            def finish(self) -> None:
                self.request.close()

        self.server = _Quiet(("127.0.0.1", 0), Talking)
        self.port: int = self.server.server_address[1]

    def _talk(self, sock: socket.socket, tls: ssl.SSLContext | None, encrypted: bool) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with ExitStack() as opened:
            self._talk_on(sock, tls, encrypted, opened)

    def _talk_on(
        self, sock: socket.socket, tls: ssl.SSLContext | None, encrypted: bool, opened: ExitStack
    ) -> None:
        file = opened.enter_context(opened.enter_context(sock).makefile("rb"))
        mail = Mail("", [], "", encrypted, None)

        def say(text: str) -> None:
            sock.sendall(f"{text}\r\n".encode())

        say(self.says.get("GREETING") or "220 here")
        while line := file.readline().decode().rstrip("\r\n"):
            verb = line.split(" ")[0].upper()
            if verb in self.says:
                planned = self.says[verb]
                if planned is None:
                    return
                say(planned)
            elif verb == "EHLO":
                offers = ["here", *(["STARTTLS"] if tls and not mail.encrypted else [])]
                offers += ["AUTH PLAIN", "SIZE"]
                for offer in offers[:-1]:
                    say(f"250-{offer}")
                say(f"250 {offers[-1]}")
            elif verb == "STARTTLS" and tls is not None:
                say("220 go on")
                sock = opened.enter_context(tls.wrap_socket(sock, server_side=True))
                file = opened.enter_context(sock.makefile("rb"))
                mail = Mail("", [], "", True, None)
            elif verb == "AUTH":
                self.logins.append(line)
                mail.user = line.split(" ")[-1]
                say("235 welcome")
            elif verb == "MAIL":
                mail.sender = line
                say("250 fine")
            elif verb == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                status = self.refuses.get(address, 250)
                mail.to += [address] if status == 250 else []
                say(f"{status} so be it")
            elif verb == "DATA":
                say("354 tell me")
                if not self._take(file, mail, say):
                    return
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 fine")

    def _take(self, file: Any, mail: Mail, say: Callable[[str], None]) -> bool:
        lines = []
        while (line := file.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        mail.data = "\n".join(lines)
        self.taken.append(mail)
        if "." in self.says:
            planned = self.says.pop(".")
            if planned is None:
                return False
            say(planned)
        else:
            say("250 taken")
        return True


@contextmanager
def running(*receivers: Any) -> Iterator[None]:
    threads = []
    for one in receivers:
        serve = threading.Thread(target=one.server.serve_forever, args=(0.01,), daemon=True)
        threads.append(serve)
        serve.start()
    try:
        yield
    finally:
        for one in receivers:
            getattr(one, "ended", threading.Event()).set()
            one.server.shutdown()
            one.server.server_close()
        for thread in threads:
            thread.join()
