"""Faults of providers, written once for all wires, and what each comes to.

The rows are those of docs/failure-catalogue.md. A provider's texts are `provider_wires.TEXTS`, each
in an event of its own; `shown` says how many of them a caller sees before its answer ends.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from tests.gateway.fault_rig import MAX_RESPONSE_BYTES, Step
from tests.gateway.provider_wires import TEXTS, ProviderWire, UsageKind
from tests.gateway.upstream import answer_bytes, chunk

Steps = Callable[[ProviderWire], Sequence[Step]]
ALL: Final = len(TEXTS)
END: Final = b"0\r\n\r\n"
# A pool, a proxy or an attacker may say so; nothing of it is for the caller.
FORGED: Final = (
    ("set-cookie", "session=stolen; Path=/"),
    ("location", "https://elsewhere.example/"),
    ("x-request-id", "forged"),
    ("x-should-retry", "always"),
    ("x-tidegate-target", "forged"),
    ("keep-alive", "timeout=1"),
    ("access-control-allow-origin", "*"),
)


class Fault(NamedTuple):
    """`code` is the error's; None: it is served all the same, with the usage that is `told`, or
    counted here as `own`. By the class of a wire where it differs. `without` are wires that have no
    such fault."""

    name: str
    steps: Steps
    code: str | None = None
    shown: int = 0
    usage: Literal["told", "own"] = "told"
    codes: Mapping[str, str] = {}
    own: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    @property
    def twice(self) -> bool:
        return self.name.startswith("B6") and "twice" in self.name

    @property
    def surplus(self) -> bool:
        """Whether something follows the answer's end."""
        return self.twice or "after its end" in self.name

    def code_at(self, wire: ProviderWire) -> str | None:
        return self.codes.get(type(wire).__name__, self.code)

    def counts(self, wire: ProviderWire) -> bool:
        """Whether the tokens are counted here."""
        return self.usage == "own" or type(wire).__name__ in self.own


def begun(wire: ProviderWire, texts: int = 0) -> list[bytes]:
    """A stream's head, and all that is said up to so many texts."""
    said = wire.stream()
    return [wire.stream_head(), *map(chunk, [*said.start, *said.content[:texts]])]


def after(texts: int, *steps: Step) -> Steps:
    return lambda wire: [*begun(wire, texts), *steps]


def answering(status: int, *headers: tuple[str, str]) -> Steps:
    return lambda wire: [answer_bytes(status, wire.error(), headers)]


def empty(status: int) -> Steps:
    return lambda _: [b"HTTP/1.1 %d Said\r\n\r\n" % status]


def body(data: bytes) -> Steps:
    return lambda wire: [answer_bytes(200, data)]


def streamed(data: Callable[[ProviderWire], bytes]) -> Steps:
    """A whole stream of these bytes, in one chunk."""
    return lambda wire: [wire.stream_head() + chunk(data(wire)) + END]


def spoken(wire: ProviderWire) -> bytes:
    return b"".join(wire.stream().all)


def commented(data: bytes) -> bytes:
    """The same events: a mark of the byte order first, comments, blank lines, unknown fields."""
    events = [b"id: 7\nretry: 1\n" + event for event in data.split(b"\n\n")[:-1]]
    return b"\xef\xbb\xbf" + b"\n\n\n: and\n\n".join(events) + b"\n\n"


def with_usage(kind: UsageKind, *, whole: bool) -> Steps:
    if whole:
        return lambda wire: [wire.answered(kind)]
    return lambda wire: [wire.streamed(wire.stream(kind))]


def half(wire: ProviderWire) -> bytes:
    return wire.answered()[:-20]


def of_length(wire: ProviderWire, more: int) -> bytes:
    """A whole answer that says to be so much longer than it is."""
    data = wire.whole()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    return head + b"content-length: %d\r\n\r\n" % (len(data) + more) + data


def headed(wire: ProviderWire, head: bytes, *, whole: bool) -> list[Step]:
    """A good answer whose head begins with other lines."""
    good = wire.answered() if whole else wire.streamed(wire.stream())
    return [good.replace(b"HTTP/1.1 200 OK\r\n", head, 1).replace(b"HTTP/1.1 200 Said\r\n", head)]


def forged(whole: bool) -> Steps:
    lines = "".join(f"{name}: {value}\r\n" for name, value in FORGED).encode()
    return lambda wire: headed(wire, b"HTTP/1.1 200 OK\r\n" + lines, whole=whole)


def cut_header(whole: bool) -> Steps:
    head = b"HTTP/1.1 200 OK\r\nx-a: b\rset-cookie: session=stolen\r\n"
    return lambda wire: headed(wire, head, whole=whole)


def many_headers(whole: bool) -> Steps:
    lines = b"".join(b"x-%d: y\r\n" % number for number in range(300))
    return lambda wire: headed(wire, b"HTTP/1.1 200 OK\r\n" + lines, whole=whole)


def packed(whole: bool) -> Steps:
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n"
    return lambda wire: headed(wire, head, whole=whole)


def early(whole: bool) -> Steps:
    head = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
    return lambda wire: headed(wire, head, whole=whole)


_SERVER_SENT = frozenset({"ConverseWire"})
_UNMARKED = frozenset({"GeminiWire"})
_SUMLESS = frozenset({"ChatWire", "ResponsesWire", "MessagesWire", "GeminiWire", "CohereWire"})
_INTERRUPTED, _MALFORMED = "upstream_interrupted", "upstream_malformed"
_UNREACHABLE, _LATE = "upstream_unreachable", "upstream_timeout"
_IN_200 = {"ConverseWire": _MALFORMED, "CohereWire": _MALFORMED}
_USAGES: tuple[UsageKind, ...] = (
    *("missing", "null", "zero", "negative", "huge", "words", "contradictory"),
)


def _at_the_head(*, whole: bool) -> list[Fault]:
    """What may become of any request before its answer begins."""
    return [
        Fault("B5 closed at once", lambda _: ["close"], _UNREACHABLE),
        Fault("B5 reset at once", lambda _: ["reset"], _UNREACHABLE),
        Fault("B5 cut in its head", lambda _: [b"HTTP/1.1 200 OK\r\nco", "close"], _UNREACHABLE),
        Fault("B3 no head", lambda _: ["hang"], _LATE),
        Fault("B8 no HTTP", lambda _: [b"SSH-2.0-OpenSSH_9.2\r\n\r\n"], _MALFORMED),
        Fault(
            "B8 other protocol", lambda _: [b"HTTP/1.1 101 No\r\nupgrade: x\r\n\r\n"], _MALFORMED
        ),
        Fault("B8 packed unasked", packed(whole), _MALFORMED),
        Fault("B8 too many headers", many_headers(whole), "upstream_too_large"),
        Fault("B8 early hints", early(whole), None, ALL),
        Fault("B12 forged headers", forged(whole), None, ALL),
        Fault("B12 a line within a header", cut_header(whole), _MALFORMED),
        Fault("B10 error in a 200", answering(200), "upstream_error", codes=_IN_200),
        Fault("B10 HTML", body(b"<html><script>x</script></html>"), _MALFORMED),
        Fault("B10 nothing", body(b""), _MALFORMED),
        Fault("B10 a list", body(b"[]"), _MALFORMED),
        Fault("B10 null", body(b"null"), _MALFORMED),
        Fault("B10 a number", body(b"1e999"), _MALFORMED),
        Fault("B10 an empty object", body(b"{}"), _MALFORMED),
        Fault("B10 no text", body(b'{"choices": "\xff"}'), _MALFORMED),
        Fault("B10 deep", body(b'{"error":' + b"[" * 50_000), _MALFORMED),
        Fault("B10 deep and closed", body(b"[" * 50_000 + b"]" * 50_000), _MALFORMED),
    ]


_STATUSES: Final = {
    **dict.fromkeys((206, 302, 404, 405, 500, 501, 502), "upstream_error"),
    **dict.fromkeys((401, 402, 403), "upstream_auth"),
    **dict.fromkeys((400, 409, 413, 418, 422), "rejected_by_provider"),
    **dict.fromkeys((408, 504), _LATE),
    **dict.fromkeys((503, 529), "upstream_overloaded"),
}
_WAITS: Final = ("0", "7", "-5", "0.25", "99999999999", "1e999", "nan", "soon", "")
_DATES: Final = (
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2400",
    "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
    "Mon, 01 Jan 0001 00:00:00 +9999999999999999",
)


STATUSES: Final = (
    *[Fault(f"B10 {status}", answering(status), code) for status, code in _STATUSES.items()],
    Fault("B10 204", empty(204), "upstream_error"),
    Fault("B10 304", empty(304), "upstream_error"),
    Fault("B10 204 with a body", answering(204), _MALFORMED),
    Fault("B9 no wait", answering(429), "upstream_rate_limited"),
    *[
        Fault(f"B9 {wait}", answering(429, ("retry-after", wait)), "upstream_rate_limited")
        for wait in (*_WAITS, *_DATES)
    ],
)


def _usages(*, whole: bool) -> list[Fault]:
    return [
        Fault(f"B11 {kind}", with_usage(kind, whole=whole), None, ALL, "own") for kind in _USAGES
    ]


STREAMED: Final[tuple[Fault, ...]] = (
    *_at_the_head(whole=False),
    *_usages(whole=False),
    Fault(
        "B11 twice",
        with_usage("twice", whole=False),
        None,
        ALL,
        "own",
        without=frozenset({"ConverseWire", "ResponsesWire", "CohereWire"}),
    ),
    Fault("B3 a head and nothing", lambda wire: [wire.stream_head(), "hang"], _LATE),
    Fault("B3 no first token", after(0, "hang"), _LATE),
    Fault("B4 stalls", after(2, "hang"), _LATE, 2),
    Fault("B5 cut before content", after(0, "close"), _INTERRUPTED),
    Fault("B5 cut after one", after(1, "close"), _INTERRUPTED, 1),
    Fault("B5 cut after all", after(ALL, "close"), _INTERRUPTED, ALL),
    Fault("B5 reset after two", after(2, "reset"), _INTERRUPTED, 2),
    Fault(
        "B5 cut within an event",
        lambda wire: [*begun(wire, 1), chunk(wire.stream().content[1][:-9]), "close"],
        _INTERRUPTED,
        1,
    ),
    Fault("B6 ends without a finish", after(ALL, END), _INTERRUPTED, ALL),
    Fault(
        "B6 no closing mark",
        lambda wire: [*begun(wire, ALL), *map(chunk, wire.stream().finish), END],
        None,
        ALL,
        own=frozenset({"ConverseWire"}),
        codes={"ResponsesWire": _INTERRUPTED},
    ),
    Fault(
        "B6 no closing mark, and cut",
        lambda wire: [*begun(wire, ALL), *map(chunk, wire.stream().finish), "close"],
        None,
        ALL,
        own=frozenset({"ConverseWire"}),
        codes={"ResponsesWire": _INTERRUPTED},
    ),
    Fault(
        "B6 data after its end",
        streamed(lambda wire: spoken(wire) + wire.stream().content[0] + wire.broken_event()),
        None,
        ALL,
        without=_UNMARKED,
    ),
    Fault(
        "B6 an error after its end",
        streamed(lambda wire: spoken(wire) + wire.error_event()),
        None,
        ALL,
        without=_UNMARKED,
    ),
    Fault(
        "B6 ends twice",
        streamed(lambda wire: spoken(wire) + wire.stream().end[0]),
        None,
        ALL,
        without=_UNMARKED,
    ),
    Fault(
        "B6 all of it twice",
        streamed(lambda wire: spoken(wire) + spoken(wire)),
        None,
        ALL,
        without=_UNMARKED,
    ),
    Fault("B7 broken first", streamed(lambda wire: wire.broken_event()), _MALFORMED),
    Fault("B7 broken", lambda wire: [*begun(wire, 1), chunk(wire.broken_event())], _MALFORMED, 1),
    Fault("B7 no text", lambda wire: [*begun(wire, 1), chunk(wire.no_text())], _MALFORMED, 1),
    Fault(
        "B7 a wrong checksum",
        lambda wire: [*begun(wire, 1), chunk(wire.stream().content[1].replace(b"two", b"too"))],
        _MALFORMED,
        1,
        without=_SUMLESS,
    ),
    Fault(
        "B7 byte by byte",
        lambda wire: [wire.stream_head(), *[chunk(bytes([b])) for b in spoken(wire)], END],
        None,
        ALL,
    ),
    Fault(
        "B7 CRLF",
        streamed(lambda wire: spoken(wire).replace(b"\n", b"\r\n")),
        None,
        ALL,
        without=_SERVER_SENT,
    ),
    Fault(
        "B7 CR",
        streamed(lambda wire: spoken(wire).replace(b"\n", b"\r")),
        None,
        ALL,
        without=_SERVER_SENT,
    ),
    Fault(
        "B7 comments and unknown fields",
        streamed(lambda wire: commented(spoken(wire))),
        None,
        ALL,
        without=_SERVER_SENT,
    ),
    Fault("B8 bad chunks", lambda wire: [*begun(wire, 1), b"zz\r\n"], _MALFORMED, 1),
    Fault(
        "B8 an event without an end",
        lambda wire: [*begun(wire, 1), chunk(b"data: " + b"x" * (5 << 20))],
        _MALFORMED,
        1,
    ),
    Fault("B10 a whole answer", lambda wire: [wire.answered()], _MALFORMED),
    Fault("B10 an error first", streamed(lambda wire: wire.error_event()), "upstream_error"),
    Fault(
        "B10 an error before content",
        lambda wire: [*begun(wire), chunk(wire.error_event())],
        "upstream_error",
    ),
    Fault(
        "B10 an error within",
        lambda wire: [*begun(wire, 2), chunk(wire.error_event())],
        "upstream_error",
        2,
    ),
)

WHOLE: Final[tuple[Fault, ...]] = (
    *_at_the_head(whole=True),
    *_usages(whole=True),
    Fault("B3 half of it", lambda wire: [half(wire), "hang"], _LATE),
    Fault("B5 cut in its body", lambda wire: [half(wire), "close"], _INTERRUPTED),
    Fault("B5 reset in its body", lambda wire: [half(wire), "reset"], _INTERRUPTED),
    Fault("B8 shorter than it says", lambda wire: [of_length(wire, 1), "close"], _INTERRUPTED),
    Fault("B8 longer than it says", lambda wire: [of_length(wire, -9)], _MALFORMED),
    Fault(
        "B8 too long",
        lambda wire: [answer_bytes(200, wire.whole() + b" " * MAX_RESPONSE_BYTES)],
        "upstream_too_large",
    ),
    Fault(
        "B8 an error too long",
        lambda wire: [answer_bytes(500, wire.error() + b" " * MAX_RESPONSE_BYTES)],
        "upstream_too_large",
    ),
    Fault("B10 a stream", lambda wire: [wire.streamed(wire.stream())], _MALFORMED),
)
