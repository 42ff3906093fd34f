"""What each fault of a provider comes to where what is asked for is no chat: over sockets, in every
shape that it is answered in, with nothing invented, nothing of a provider's head and no hold kept.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
import pytest
from tests.gateway.fault_rig import Kept, Outcome, kept
from tests.gateway.fault_table import FORGED, STREAMED, WHOLE, Fault
from tests.gateway.provider_wires import CANARY, TEXTS, ProviderWire, Said, UsageKind
from tests.gateway.rig import target
from tests.gateway.test_metered_request import field, file

from tidegate.core.outcome import CODES
from tidegate.core.plan import Release, Replica, Route, Target
from tidegate.core.resilience import Breaker, Retry
from tidegate.core.secret import SecretRef
from tidegate.gateway.decline import _NOT_SERVED

_encode = msgspec.json.encode
FORM = field("model", "small") + file(data="x" * 5000) + b"--xx--\r\n"
RANKING = {"query": "q", "documents": ["a", "b"]}
ONE = Retry(attempts=1, budget_least=10**6)


class Answers(ProviderWire):
    """One endpoint at one kind of provider."""

    names = ("input_tokens", "output_tokens", "total_tokens")
    kind: ClassVar[str] = "openai_compatible"
    asks: ClassVar[tuple[str, Any]]

    def told(self, usage: UsageKind, **members: Any) -> bytes:
        return _encode(members | ({} if usage == "missing" else {"usage": self.usage(usage)}))

    def stream(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> Said:
        delta = {"type": "transcript.text.delta"}
        done = {"type": "transcript.text.done", "text": "".join(texts)}
        if usage != "missing":
            done["usage"] = self.usage(usage)
        content = [b"data: " + _encode({**delta, "delta": text}) + b"\n\n" for text in texts]
        return Said([], content, [b"data: " + _encode(done) + b"\n\n"], [])


class Heard(Answers):
    asks = ("/v1/audio/transcriptions", FORM)

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        return self.told(usage, text="".join(texts))


class HeardByMistral(Heard):
    kind = "mistral"


class HeardByCohere(Heard):
    kind = "cohere"


class Drawn(Answers):
    asks = ("/v1/images/generations", {"prompt": "p"})

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        return self.told(usage, data=[{"b64_json": "AA=="}])


class Judged(Answers):
    kind = "mistral"
    asks = ("/v1/moderations", {"input": "x"})

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        return self.told(usage, id="m", model="m", results=[{"categories": {}}])


class Ranked(Answers):
    asks = ("/v1/rerank", RANKING)
    member: ClassVar[str] = "results"
    score: ClassVar[str] = "relevance_score"

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        return self.told(usage, **{self.member: [{"index": 1, self.score: 0.5}]})


class RankedByCohere(Ranked):
    kind = "cohere"


class RankedByFireworks(Ranked):
    kind, member = "fireworks", "data"


class RankedByNvidia(Ranked):
    kind, member, score = "nvidia_nim", "rankings", "logit"


class RankedBySglang(Ranked):
    kind, score = "sglang", "score"

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        return _encode([{"index": 1, self.score: 0.5}])


ALL = (
    *(Heard, HeardByMistral, HeardByCohere, Drawn, Judged, Ranked),
    *(RankedByCohere, RankedByFireworks, RankedByNvidia, RankedBySglang),
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with kept(tmp_path_factory.mktemp("metered"), ("openai_compatible",)) as it:
        yield it


def target_of(port: int, wire: Answers) -> Target:
    name = type(wire).__name__.lower()
    return target(
        port,
        name,
        dialect=wire.kind,
        model="served-model",
        replicas=(Replica("r", "http", "127.0.0.1", port, "/v1"),),
        breaker=Breaker(failures=10**6),
        credential=SecretRef(env="KEY"),
    )


async def meet(running: Kept, wire: Answers, fault: Fault, more: bytes = b"") -> Outcome:
    rig = running.rig
    one = target_of(rig.up.port, wire)
    await rig.add(Route(one.name, Release(f"{one.name}@1", one), retry=ONE))
    await rig.act(fault.steps(wire))
    path, body = wire.asks
    headers = {"authorization": f"Bearer {rig.it.key}"}
    if isinstance(body, bytes):
        headers["content-type"] = "multipart/form-data; boundary=xx"
        told: Any = more + body.replace(b"small", one.name.encode())
    else:
        told = {**body, "model": one.name}
    return Outcome(await rig.it.ask(path, told, headers), await rig.settled())


def is_safe(outcome: Outcome) -> None:
    """Nothing of its provider's but what was answered, and no figure that nobody told."""
    reply, receipt = outcome
    assert CANARY not in reply.raw.decode("latin-1")
    assert CANARY not in _encode(receipt).decode()
    assert reply.headers["x-request-id"] == receipt.id and "set-cookie" not in reply.headers
    for name, value in FORGED:
        assert reply.headers.get(name) != value
    attempt = receipt.attempts[-1]
    if attempt.status == 200 and attempt.failure not in _NOT_SERVED:
        assert receipt.cost_nanousd or receipt.most_nanousd


@pytest.mark.parametrize(
    "fault", [it for it in WHOLE if not it.name.startswith("B3")], ids=lambda it: it.name
)
@pytest.mark.parametrize("kind", ALL, ids=lambda it: it.__name__)
def test_a_fault_of_what_is_no_chat(running: Kept, kind: type[Answers], fault: Fault) -> None:
    outcome = running.run(meet(running, kind(), fault))
    is_safe(outcome)
    reply, receipt = outcome
    if fault.code is None:
        assert (reply.status, reply.whole, receipt.error_code) == (200, True, None)
        if fault.name.startswith("B11"):
            counted = receipt.tokens_estimated or receipt.input_tokens is None
            assert counted and receipt.input_tokens != 0 and receipt.output_tokens != 0
        return
    code = CODES[fault.code]
    assert (receipt.error_code, receipt.error_fault) == (code.name, code.fault)
    assert (reply.status, reply.code) == (code.status, code.name)


@pytest.mark.parametrize(
    "fault",
    [
        it
        for it in STREAMED
        if it.name[:2] in ("B5", "B6", "B7", "B8") or it.name[:3] in ("B10", "B12")
        # An answer that is whole is as good, its last event is its closing mark, and an event may
        # be as long as an image.
        if it.name not in ("B10 a whole answer", "B8 an event without an end")
        if not it.name.startswith("B6 ") and it.without <= {"ConverseWire"}
    ],
    ids=lambda it: it.name,
)
def test_a_fault_of_the_events_of_what_is_no_chat(running: Kept, fault: Fault) -> None:
    wire = Heard()
    outcome = running.run(meet(running, wire, fault, field("stream", "true")))
    is_safe(outcome)
    reply, receipt = outcome
    if fault.code is None:
        assert (reply.status, reply.whole, receipt.error_code) == (200, True, None)
        return
    code = CODES[fault.code]
    assert (receipt.error_code, receipt.error_fault) == (code.name, code.fault)
    if not fault.shown:
        assert (reply.status, reply.code) == (code.status, code.name)
        return
    shown = b"".join(wire.stream().content[: fault.shown])
    assert reply.status == 200 and not reply.whole and receipt.interrupted
    assert reply.body.startswith(shown) and code.name.encode() in reply.body[len(shown) :]
