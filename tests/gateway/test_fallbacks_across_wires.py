"""A target that fails before its first token is replaced by one of another wire, and its caller
sees one answer in its own dialect: nothing of the first, whatever both speak."""

import itertools
from collections.abc import Iterator, Sequence

import pytest
from tests.dialects.told import read_stream, read_whole
from tests.gateway.fault_rig import (
    DIALECTS,
    ONCE,
    OTHER_KEY,
    Case,
    Kept,
    Outcome,
    Step,
    cases,
    kept,
    target_of,
)
from tests.gateway.fault_table import answering, begun
from tests.gateway.provider_wires import BY_CODEC, CANARY, TEXTS, wire_of
from tests.gateway.upstream import Exchange, chunk

from tidegate.core.plan import Release, Route, Target
from tidegate.core.resilience import FAILURE_CLASSES
from tidegate.stores.spending import spent_nanousd

CODECS = sorted(BY_CODEC)
OTHER = b"another-model"
PAIRS = list(itertools.permutations(("vllm", "openai", "anthropic", "gemini", "bedrock"), 2))
PAIRS += [("azure_openai", "llama_cpp"), ("sim", "openai_compatible")]
PAIRS += [("mistral", "cohere"), ("cohere", "openai")]
# What the first target does, and whether that may have cost something.
FAULTS = {
    "500": (answering(500), False),
    "429": (answering(429, ("retry-after", "30")), False),
    "401": (answering(401), False),
    "hangs up": (lambda _: ["close"], False),
    "an error first": (lambda wire: [*begun(wire), chunk(wire.error_event())], False),
    "cut before content": (lambda wire: [*begun(wire), "close"], True),
    "broken before content": (lambda wire: [*begun(wire), chunk(wire.broken_event())], True),
    "mixed up": (lambda wire: [wire.answered()], True),
}


def routed(first: Target, second: Target) -> Route:
    """Whatever becomes of the first, which is asked once, the second is asked."""
    fallbacks = tuple((name, (second,)) for name in FAILURE_CLASSES)
    name = f"{first.name}>{second.name}"
    return Route(name, Release(f"{name}@1", first), retry=ONCE, fallbacks=fallbacks)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with kept(tmp_path_factory.mktemp("faults"), CODECS) as it:
        yield it


async def chained(running: Kept, case: Case, second: str, steps: Sequence[Step]) -> Outcome:
    """The first target says `steps`, the other gives a good answer in its own wire."""
    rig = running.rig
    wire = wire_of(second, case.dialect)
    good = [wire.streamed(wire.stream()) if case.streamed else wire.answered()]

    async def script(exchange: Exchange) -> None:
        for step in good if OTHER in exchange.head + exchange.body else steps:
            if isinstance(step, bytes):
                exchange.send(step)
            else:
                exchange.transport.close()

    rig.up.script = script
    port, before = rig.up.port, len(rig.receipts)
    other = target_of(port, second, f"{second}-2", model=OTHER.decode())
    route = routed(target_of(port, case.codec), other)
    await rig.add(route)
    body = {**case.body(), "model": route.name}
    reply = await rig.it.ask(DIALECTS[case.dialect], body)
    outcome = Outcome(reply, await rig.settled())
    assert len(rig.receipts) == before + 1
    return outcome


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("pair", PAIRS, ids=">".join)
def test_another_wire_answers_in_its_place(
    running: Kept, pair: tuple[str, str], fault: str
) -> None:
    (first, second), (steps, may_cost) = pair, FAULTS[fault]
    for dialect in DIALECTS:
        case = Case(first, dialect, streamed=True)
        reply, receipt = running.run(chained(running, case, second, steps(case.wire)))
        passed = Case(second, dialect, streamed=True).passes
        assert (reply.status, reply.whole) == (200, True)
        told = read_stream(dialect, reply.body, passed=passed)
        assert told.text == "".join(TEXTS) and told.end is not None
        assert CANARY not in reply.raw.decode()
        assert reply.headers["x-tidegate-target"] == f"{second}-2"
        # A kept connection that is closed as it is used is replaced once, unseen.
        asked = [one for one in receipt.attempts if one.failure != "stale_connection"]
        assert [one.target for one in asked] == [first, f"{second}-2"]
        failed, served = asked
        assert failed.failure is not None and served.failure is None
        assert served.cost_nanousd == 21_000
        if may_cost:
            assert failed.cost_nanousd is None and spent_nanousd(receipt) > 21_000
        else:
            assert (failed.cost_nanousd, receipt.cost_nanousd) == (0, 21_000)


@pytest.mark.parametrize("pair", PAIRS, ids=">".join)
def test_another_wire_gives_the_whole_answer(running: Kept, pair: tuple[str, str]) -> None:
    first, second = pair
    for dialect in DIALECTS:
        case = Case(first, dialect, streamed=False)
        steps = answering(503)(case.wire)
        reply, receipt = running.run(chained(running, case, second, steps))
        assert reply.status == 200
        assert read_whole(dialect, reply.body).text == "".join(TEXTS)
        assert (receipt.cost_nanousd, len(receipt.attempts)) == (21_000, 2)


async def pooled(running: Kept, case: Case, status: int) -> Outcome:
    """A provider that takes no credential but the second of the target's."""
    rig, wire = running.rig, case.wire
    good = wire.streamed(wire.stream()) if case.streamed else wire.answered()
    bad = answering(status)(wire)[0]

    async def script(exchange: Exchange) -> None:
        exchange.send(good if OTHER_KEY.encode() in exchange.head else bad)

    rig.up.script = script
    body = {**case.body(), "model": await rig.pool(case.codec)}
    reply = await rig.it.ask(DIALECTS[case.dialect], body)
    return Outcome(reply, await rig.settled())


@pytest.mark.parametrize("status", [401, 403, 429])
@pytest.mark.parametrize("codec", CODECS)
def test_another_credential_serves_where_one_is_refused(
    running: Kept, codec: str, status: int
) -> None:
    for case in (*cases(codec, streamed=True), *cases(codec, streamed=False)):
        for _ in range(2):  # whichever is asked first
            reply, receipt = running.run(pooled(running, case, status))
            assert (reply.status, receipt.error_code) == (200, None)
            assert receipt.attempts[-1].credential == "${OTHER_KEY}"
            assert receipt.cost_nanousd == 21_000
            assert CANARY not in reply.raw.decode() and OTHER_KEY not in reply.raw.decode()
            assert CANARY not in str(receipt)
