"""What is no chat through a whole gateway: relayed as it comes, cut where it is cut, charged by
what it used."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.limited import budget, left, limited
from tests.gateway.reply import Reply
from tests.gateway.rig import Gateway, gateway, run, target, until
from tests.gateway.routed import at, routed
from tests.gateway.test_metered_request import field, file
from tests.gateway.upstream import OK, Exchange, Upstream, answer_bytes, chunk, whole

from tidegate.core.price import ImagePrice, Price, Rate
from tidegate.core.receipt import Receipt
from tidegate.core.resilience import Retry

SPEECH = "/v1/audio/speech"
HEAR = "/v1/audio/transcriptions"
DRAW = "/v1/images/generations"
SAY = {"model": "small", "input": "hello", "voice": "v"}
PRICE = Price(
    "plan:units",
    "plan",
    images=(ImagePrice(40),),
    audio_nanousd_per_h=3600,
    nanousd_per_mchar=1_000_000,
    search_nanousd=7,
)
SECONDS = 1_000
FORM = field("model", "small") + file(data="ID3" + "x" * (SECONDS * 500 - 3)) + b"--xx--\r\n"
SSE = b"text/event-stream"


def audio(kind: bytes = b"audio/mpeg", *more: bytes) -> bytes:
    return OK + b"content-type: " + kind + b"\r\ntransfer-encoding: chunked\r\n" + b"".join(more)


def said(*pieces: bytes) -> Any:
    async def script(exchange: Exchange) -> None:
        for piece in pieces:
            exchange.send(piece)
            await asyncio.sleep(0)

    return script


async def asked(it: Gateway, path: str, body: Any, **fields: bytes) -> tuple[Reply, Receipt]:
    headers = {"authorization": f"Bearer {it.key}"}
    if isinstance(body, bytes):
        headers["content-type"] = "multipart/form-data; boundary=xx"
    before = len(it.receipts())
    reply = await it.ask(path, body, headers)
    return reply, await it.receipt(before + 1)


def served(tmp_path: Path, script: Any, path: str, body: Any) -> tuple[Reply, Receipt, Exchange]:
    """One request to a gateway in front of this script."""
    found: list[Any] = []

    async def main() -> None:
        async with Upstream(script) as up, gateway(tmp_path, target(up.port, price=PRICE)) as it:
            found.extend(await asked(it, path, body))
            found.append(up.exchanges[-1])

    run(main())
    return found[0], found[1], found[2]


def test_audio_passes_byte_for_byte_with_nothing_of_its_provider_s_head(tmp_path: Path) -> None:
    head = audio(b'audio/mpeg; x="y"', b"set-cookie: a=b\r\nx-evil: 1\r\n\r\n")
    parts = [bytes(range(256)), b"data: [DONE]\n\n", b"\r\n0\r\n\r\n"]
    script = said(head, *map(chunk, parts), b"0\r\n\r\n")
    reply, receipt, exchange = served(tmp_path, script, SPEECH, SAY)
    assert (reply.status, reply.body, reply.whole) == (200, b"".join(parts), True)
    assert reply.headers["content-type"] == "audio/mpeg"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in reply.headers and "x-evil" not in reply.headers
    assert msgspec.json.decode(exchange.body)["model"] == "served-model"
    assert (receipt.characters, receipt.cost_nanousd, receipt.output_bytes) == (5, 5, 277)
    assert receipt.ttft_s is not None and receipt.generation_s is not None and receipt.stream
    assert receipt.validity is None and receipt.model_refusal is None


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_audio_that_is_cut_is_cut_for_its_client_too(tmp_path: Path, framing: str) -> None:
    async def script(exchange: Exchange) -> None:
        if framing == "chunked":
            exchange.send(audio(b"audio/mpeg", b"\r\n") + chunk(b"abc"))
        else:
            exchange.send(OK + b"content-type: audio/mpeg\r\ncontent-length: 9\r\n\r\nabc")
        await asyncio.sleep(0.01)
        exchange.transport.close()

    reply, receipt, _ = served(tmp_path, script, SPEECH, SAY)
    assert (reply.status, reply.body, reply.whole) == (200, b"abc", False)
    assert (receipt.error_code, receipt.interrupted) == ("upstream_interrupted", True)
    assert (receipt.validity, receipt.output_bytes) == ("interrupted", 3)
    assert receipt.cost_nanousd == 5  # the characters were spoken, whoever heard them


def test_a_client_that_leaves_stops_its_provider(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        exchange.send(audio(b"audio/wav", b"\r\n") + chunk(b"abc"))
        await exchange.closed.wait()

    async def main() -> None:
        async with Upstream(script) as up, gateway(tmp_path, target(up.port, price=PRICE)) as it:
            reader, writer = await it.connect()
            writer.write(it.request(SPEECH, SAY))
            await reader.readuntil(b"abc\r\n")
            writer.transport.abort()
            await up.exchanges[0].closed.wait()
            receipt = await it.receipt()
            assert (receipt.cancelled_by, receipt.output_bytes) == ("client", 3)

    run(main())


def test_a_client_that_does_not_read_makes_its_provider_wait(tmp_path: Path) -> None:
    part, most, sent = chunk(bytes(64 * 1024)), 64 << 20, 0

    async def script(exchange: Exchange) -> None:
        nonlocal sent
        exchange.send(audio(b"audio/pcm", b"\r\n"))
        while not exchange.closed.is_set() and sent < most:
            if exchange.transport.get_write_buffer_size() < 1 << 20:
                exchange.send(part)
                sent += len(part)
            await asyncio.sleep(0)

    async def main() -> None:
        async with Upstream(script) as up, gateway(tmp_path, target(up.port, price=PRICE)) as it:
            sock = socket.create_connection(it.address)  # nobody reads from it
            with sock:
                sock.sendall(it.request(SPEECH, SAY))
                await until(lambda: any(c.upstream and c.upstream.paused for c in it.world.calls))
                assert sent < most
            await it.receipt()

    run(main())


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (OK + b"content-type: text/html\r\ncontent-length: 4\r\n\r\n<p>x", "upstream_malformed"),
        (answer_bytes(200, b'{"error":{"message":"no","code":"429"}}'), "upstream_rate_limited"),
        (answer_bytes(200, b'{"audio":"AAAA"}'), "upstream_malformed"),
        (audio(b"audio/mpeg", b"\r\n") + b"0\r\n\r\n", "upstream_malformed"),
        (
            audio(b"audio/mpeg", b"content-encoding: gzip\r\n\r\n") + b"0\r\n\r\n",
            "upstream_malformed",
        ),
        (audio(SSE, b"\r\n") + b"0\r\n\r\n", "upstream_malformed"),
        (OK + b"content-type: audio/mpeg\r\ncontent-length: -1\r\n\r\n", "upstream_malformed"),
    ],
)
def test_what_is_no_audio_is_a_failure_with_a_status(
    tmp_path: Path, answer: bytes, code: str
) -> None:
    reply, receipt, _ = served(tmp_path, said(answer), SPEECH, SAY)
    assert reply.code == code and receipt.error_code == code
    assert receipt.error_fault == "provider"


def test_a_form_goes_to_one_target_after_another_each_with_its_own_model(tmp_path: Path) -> None:
    async def main() -> None:
        down, told = whole({}, status=503), {"text": "hi", "usage": {"seconds": 9}}
        async with Upstream(down) as one, Upstream(whole(told)) as two:
            first, second = at(one, "a", price=PRICE), at(two, "b", price=PRICE)
            routes = routed(first, unavailable=(second,), retry=Retry(attempts=1))
            async with gateway(tmp_path, first, routes=routes) as it:
                reply, receipt = await asked(it, HEAR, FORM)
            assert reply.json == told
            bodies = [one.exchanges[-1], two.exchanges[-1]]
            for exchange, name in zip(bodies, (b"model-a", b"model-b"), strict=True):
                assert exchange.header(b"content-type") == b'multipart/form-data; boundary="xx"'
                assert b'name="model"\r\n\r\n%b\r\n' % name in exchange.body
                assert b'filename="a.wav"\r\n\r\nID3xx' in exchange.body
            assert (receipt.target, receipt.audio_s, receipt.cost_nanousd) == ("b", 9.0, 9)
            assert receipt.model_asked == "small"

    run(main())


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/plain", b"hi\n"), ("text/vtt; charset=utf-8", b"WEBVTT"), ("application/json", b"")],
)
def test_a_transcript_in_whatever_form_it_came(tmp_path: Path, kind: str, body: bytes) -> None:
    body = body or b'{"text":"hi"}'
    head = OK + f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    form = field("response_format", "vtt") + FORM
    reply, receipt, _ = served(tmp_path, said(head + body), HEAR, form)
    assert (reply.status, reply.body) == (200, body)
    assert reply.headers["content-type"] == kind.partition(";")[0]
    # Nobody said how long it was, nor does its head: at most, as long as its bytes may be.
    assert (receipt.audio_s, receipt.cost_nanousd, receipt.most_nanousd) == (None, None, SECONDS)


def test_a_model_that_does_not_stream_answers_whole(tmp_path: Path) -> None:
    form = field("stream", "true") + FORM
    reply, receipt, _ = served(tmp_path, whole({"text": "hi", "duration": 2.5}), HEAR, form)
    assert reply.json == {"text": "hi", "duration": 2.5}
    assert reply.headers["content-type"] == "application/json"
    assert (receipt.audio_s, receipt.cost_nanousd) == (2.5, 3)


def test_events_pass_and_tell_what_they_used(tmp_path: Path) -> None:
    usage = {"input_tokens": 4, "output_tokens": 6, "total_tokens": 10}
    done = msgspec.json.encode({"type": "transcript.text.done", "text": "hi", "usage": usage})
    events = b'data: {"type":"transcript.text.delta","delta":"hi"}\n\ndata: ' + done + b"\n\n"
    script = said(audio(SSE, b"\r\n"), chunk(events), b"0\r\n\r\n")
    reply, receipt, _ = served(tmp_path, script, HEAR, field("stream", "true") + FORM)
    assert (reply.body, reply.whole) == (events, True)
    assert (receipt.input_tokens, receipt.output_tokens, receipt.audio_s) == (4, 6, None)
    assert receipt.cost_nanousd is None and receipt.most_nanousd == SECONDS


def test_an_error_in_a_stream_is_its_last_event(tmp_path: Path) -> None:
    begun = b'data: {"type":"transcript.text.delta","delta":"hi"}\n\n'
    script = said(audio(SSE, b"\r\n"), chunk(begun), chunk(b'data: {"error":{"message":"x"}}\n\n'))
    reply, receipt, _ = served(tmp_path, script, HEAR, field("stream", "true") + FORM)
    assert reply.body.startswith(begun) and not reply.whole
    assert b'"upstream_error"' in reply.body.removeprefix(begun)
    assert receipt.interrupted and receipt.cost_nanousd is None


def test_a_ranking_and_images_are_charged_by_what_is_told(tmp_path: Path) -> None:
    ranking = {"model": "small", "query": "q", "documents": ["a", "b"]}
    told = {"results": [{"index": 1, "relevance_score": 0.5}]}
    told["meta"] = {"billed_units": {"search_units": 2}}  # type: ignore[assignment]
    reply, receipt, _ = served(tmp_path / "a", whole(told), "/v2/rerank", ranking)
    assert reply.json == told
    assert (receipt.search_units, receipt.documents, receipt.cost_nanousd) == (2, 2, 14)
    images = {"data": [{"url": "x"}] * 3}
    drawn = {"model": "small", "prompt": "p", "n": 3, "size": "1x1"}
    _, receipt, _ = served(tmp_path / "b", whole(images), DRAW, drawn)
    assert (receipt.images, receipt.image_size, receipt.cost_nanousd) == (3, "1x1", 120)


def test_what_a_ranking_says_of_nobody_s_documents_is_a_failure(tmp_path: Path) -> None:
    ranking = {"model": "small", "query": "q", "documents": ["a"]}
    told = {"results": [{"index": 1, "relevance_score": 0.5}]}
    reply, receipt, _ = served(tmp_path, whole(told), "/rerank", ranking)
    assert reply.code == "upstream_malformed"
    assert receipt.cost_nanousd is None and receipt.most_nanousd == 7


@pytest.mark.parametrize("fits", [True, False])
def test_a_budget_holds_the_most_that_it_can_cost(tmp_path: Path, fits: bool) -> None:
    async def main() -> None:
        amount = SECONDS if fits else SECONDS - 1
        up = Upstream(whole({"text": "hi", "usage": {"seconds": 9}}))
        async with up, limited(tmp_path, up, budget(amount), price=PRICE) as it:
            reply, receipt = await asked(it, HEAR, FORM)
            if fits:
                assert reply.status == 200 and left(it, "the-spend") == amount - 9
            else:
                assert reply.code == "insufficient_quota" and up.exchanges == []
                assert left(it, "the-spend") == amount and receipt.cost_nanousd == 0

    run(main())


def test_a_stream_of_audio_is_not_cut_for_the_tokens_that_it_has_not(tmp_path: Path) -> None:
    async def main() -> None:
        parts = [chunk(b"a")] * 50
        script = said(audio(b"audio/wav", b"\r\n"), *parts, b"0\r\n\r\n")
        async with Upstream(script) as up, limited(tmp_path, up, budget(99), price=PRICE) as it:
            reply, receipt = await asked(it, SPEECH, SAY)
            assert (reply.body, receipt.cost_nanousd) == (b"a" * 50, 5)
            assert left(it, "the-spend") == 94

    run(main())


def test_what_has_no_price_is_refused_where_money_is_held(tmp_path: Path) -> None:
    async def main() -> None:
        for price in (None, Price("plan:chat", "plan", input=Rate(1))):
            fields = {"price": price, "unpriced_allowed": True}
            up, folder = Upstream(whole()), tmp_path / str(price is None)
            async with up, limited(folder, up, budget(9), **fields) as it:
                reply, _ = await asked(it, DRAW, {"model": "small", "prompt": "p"})
                assert reply.code == "unpriced_model" and up.exchanges == []

    run(main())


def test_a_target_that_does_not_serve_it_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1, dialect="anthropic")) as it:
            reply, _ = await asked(it, SPEECH, SAY)
            assert reply.code == "invalid_request" and "speech" in reply.json["error"]["message"]

    run(main())
