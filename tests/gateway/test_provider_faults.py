"""What each fault of a provider comes to, for every codec and in every caller's dialect: one end,
in the caller's own words, with whose fault it was; nothing invented, and nothing kept."""

from collections.abc import Iterator

import msgspec
import pytest
from tests.dialects.told import Told, figures, read_stream, read_whole
from tests.gateway.fault_rig import Case, Kept, Outcome, cases, kept
from tests.gateway.fault_table import FORGED, STATUSES, STREAMED, WHOLE, Fault
from tests.gateway.provider_wires import BY_CODEC, CANARY, INPUT_TOKENS, OUTPUT_TOKENS, TEXTS
from tests.providers import family

from tidegate.core.outcome import CODES
from tidegate.gateway.decline import _NOT_SERVED

CODECS = sorted(BY_CODEC)
# What a status means is read by one plug of OpenAI's shape as by another.
OF_EACH_WIRE = ("openai", "vllm", "azure_openai", "anthropic", "gemini", "bedrock", "cohere")
FINISHES = {
    "openai_chat": "stop",
    "anthropic_messages": "end_turn",
    "openai_responses": "completed",
}
_ANTHROPIC = {"upstream_timeout": "timeout_error", "upstream_overloaded": "overloaded_error"}
COST_NANOUSD = INPUT_TOKENS * 1_000 + OUTPUT_TOKENS * 2_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with kept(tmp_path_factory.mktemp("faults"), CODECS) as it:
        yield it


def test_the_rig_speaks_every_provider_s_wire() -> None:
    """The others read as one of these does."""
    kin = {"databricks", "groq", "minimax", "openrouter", "perplexity", "sglang"}
    assert {*CODECS, *kin} == {*family.CODECS}


def test_every_row_of_the_catalogue_has_its_faults() -> None:
    rows = {fault.name.split()[0] for fault in (*STREAMED, *WHOLE, *STATUSES)}
    assert rows >= {f"B{number}" for number in range(3, 13)}


def told_of(case: Case, outcome: Outcome) -> Told:
    """What the caller makes of a stream that has begun, or of a whole answer."""
    body = outcome.reply.body
    if not case.streamed:
        return read_whole(case.dialect, body)
    if case.passes:
        body = body.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        while b"\n\n\n" in body:
            body = body.replace(b"\n\n\n", b"\n\n")
    return read_stream(case.dialect, body, passed=case.passes)


def is_served(case: Case, fault: Fault, outcome: Outcome) -> None:
    reply, receipt = outcome
    assert (reply.status, reply.whole, receipt.error_code) == (200, True, None)
    kind = "text/event-stream; charset=utf-8" if case.streamed else "application/json"
    assert reply.headers["content-type"] == kind
    told = told_of(case, outcome)
    assert told.end is not None and told.error is None
    assert told.text == "".join(TEXTS)
    assert told.finish == FINISHES[case.dialect]
    assert not receipt.interrupted and receipt.cost_nanousd
    assert (receipt.surplus_events > 0) == fault.surplus
    assert receipt.validity == ("duplicate_terminator" if fault.twice else None)
    counted = fault.counts(case.wire)
    assert receipt.tokens_estimated == counted
    if not counted:
        assert (receipt.input_tokens, receipt.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)
        assert receipt.cost_nanousd == COST_NANOUSD
        assert figures(told.usage) == (INPUT_TOKENS, OUTPUT_TOKENS)
    else:
        assert receipt.input_tokens and receipt.output_tokens
        if not case.passes:  # what a provider says of itself in its caller's wire passes
            # Anthropic's clients must read numbers; nobody else is told any.
            zeros = (None, 0) if case.streamed else (0, 0)
            unknown = zeros if case.dialect == "anthropic_messages" else None
            assert figures(told.usage) == unknown


def is_refused(case: Case, fault: Fault, outcome: Outcome) -> None:
    """It failed before anything had flowed: an error with a status."""
    reply, receipt = outcome
    code = CODES[fault.code_at(case.wire) or ""]
    assert (receipt.error_code, receipt.error_fault) == (code.name, code.fault)
    assert reply.status == receipt.status != 200
    assert reply.whole and reply.headers["content-type"] == "application/json"
    assert reply.headers["x-should-retry"] == str(code.retry).lower()
    said = reply.json["error"]
    if case.dialect == "anthropic_messages":
        assert reply.json["type"] == "error" and said["type"]
        overloaded = code.name == "upstream_overloaded"
        assert reply.status == (529 if overloaded else receipt.status)
    else:
        assert (said["code"], said["type"]) == (code.name, code.type)
    assert said["message"]
    if code.fault == "provider" and case.dialect != "anthropic_messages":
        assert reply.status == code.status
    if code.fault == "provider":
        assert reply.status >= 500 or reply.status == 429
    if reply.status == 429:
        assert 0 <= int(reply.headers["retry-after"]) <= 60
        assert 0 <= int(reply.headers["retry-after-ms"]) <= 60_000


def is_broken_off(case: Case, fault: Fault, outcome: Outcome) -> None:
    """It failed after some of it had flowed: one error event, and no proper end."""
    reply, receipt = outcome
    code = CODES[fault.code_at(case.wire) or ""]
    assert (receipt.error_code, receipt.error_fault) == (code.name, code.fault)
    assert (reply.status, reply.whole, receipt.interrupted) == (200, False, True)
    told = told_of(case, outcome)
    assert told.end is None and told.error is not None
    if case.dialect == "anthropic_messages":
        assert told.error["type"] == _ANTHROPIC.get(code.name, "api_error")
    else:
        assert told.error["code"] == code.name
    assert told.text == "".join(TEXTS[: fault.shown])
    assert receipt.output_tokens == fault.shown and receipt.tokens_estimated
    assert receipt.validity == ("malformed" if code.name == "upstream_malformed" else "interrupted")


def check(case: Case, fault: Fault, outcome: Outcome) -> None:
    reply, receipt = outcome
    shown = CANARY in reply.raw.decode("latin-1")
    assert not shown and CANARY not in msgspec.json.encode(receipt).decode()
    assert reply.headers["x-request-id"] == receipt.id
    for name, value in FORGED:
        assert reply.headers.get(name) != value
    assert "set-cookie" not in reply.headers
    code = fault.code_at(case.wire)
    if code is None:
        is_served(case, fault, outcome)
        return
    (is_broken_off if case.streamed and fault.shown else is_refused)(case, fault, outcome)
    attempt = receipt.attempts[-1]
    assert attempt.failure is not None
    said_no = attempt.failure in _NOT_SERVED or attempt.status not in (None, 200)
    if said_no and not fault.shown:
        assert receipt.cost_nanousd == 0
    else:  # what was done of it costs, or may have cost at most so much
        assert receipt.cost_nanousd or (receipt.cost_nanousd is None and receipt.most_nanousd)


def meet(running: Kept, codec: str, fault: Fault, streamed: bool) -> None:
    for case in cases(codec, streamed):
        if type(case.wire).__name__ in fault.without:
            continue
        steps = fault.steps(case.wire)
        outcome = running.run(running.rig.ask(case, steps, fault.shown))
        try:
            check(case, fault, outcome)
        except Exception as error:
            error.add_note(f"{case}\n{outcome.reply.raw!r}\n{outcome.receipt}")
            raise


@pytest.mark.parametrize("fault", STREAMED, ids=lambda fault: fault.name)
@pytest.mark.parametrize("codec", CODECS)
def test_a_fault_of_a_stream(running: Kept, codec: str, fault: Fault) -> None:
    meet(running, codec, fault, streamed=True)


@pytest.mark.parametrize("fault", STATUSES, ids=lambda fault: fault.name)
@pytest.mark.parametrize("codec", OF_EACH_WIRE)
def test_an_error_status(running: Kept, codec: str, fault: Fault) -> None:
    meet(running, codec, fault, streamed=len(fault.name) % 2 == 0)


@pytest.mark.parametrize("fault", WHOLE, ids=lambda fault: fault.name)
@pytest.mark.parametrize("codec", CODECS)
def test_a_fault_of_a_whole_answer(running: Kept, codec: str, fault: Fault) -> None:
    meet(running, codec, fault, streamed=False)
