"""What guardrails find, and what they cost: `python -m bench.guardrails [found|cost] [all]`.

`found` looks once at the half of each set that no rule was written from: texts of Presidio's
generator by template, prompts and planted instructions by row (`bench/injections.py`). With `all`
at both halves of personal data.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from bench.injection_texts import EVALS, rows
from bench.injections import figures
from bench.personal import KINDS as CAPTURED
from tidegate.core.ask import Ask
from tidegate.core.guardrail import Guardrail, RouteGuardrails
from tidegate.core.receipt import Receipt
from tidegate.dialects.anthropic_messages import plug as anthropic_messages
from tidegate.dialects.openai_chat import plug as openai_chat
from tidegate.dialects.openai_responses import plug as openai_responses
from tidegate.gateway.guard_input import guard_request
from tidegate.gateway.guard_sources import judge_request
from tidegate.gateway.guarded_texts import GuardedTexts
from tidegate.gateway.guarding import Guarding
from tidegate.gateway.prepared_guardrails import Looking, PreparedGuardrails, prepare_guardrails
from tidegate.text.forms import find
from tidegate.text.personal_forms import FORMS
from tidegate.text.secret_forms import FORMS as SECRETS

_KINDS: Final = {**CAPTURED, "US_DRIVER_LICENSE": "driver_license"}
_PROSE: Final = (
    "The committee met on 14 March 2024 to look at the figures of the last quarter. Sales rose by "
    "7 % to 1,250 units, most of them in the north, while returns stayed at 35. It was agreed that "
    "the new depot opens in June, once the lease is signed; Ms Hart will see to the insurance. "
)
_TIMES: Final = 9
_DIALECTS: Final = {
    "openai_chat": openai_chat,
    "anthropic_messages": anthropic_messages,
    "openai_responses": openai_responses,
}


def main() -> None:
    every = "all" in sys.argv[1:]
    if "cost" not in sys.argv[1:]:
        for half in (0, 1) if every else (1,):
            _personal(half=half)
        figures()
        _wrong_secrets()
    if "found" not in sys.argv[1:]:
        _cost()


def _personal(*, half: int) -> None:
    """Found: a span of the same kind over most of it. Covered: spans of whichever kind are. Wrong:
    what lies over none of its kind; what lies over no personal data at all is told apart."""
    there, found, wrong = Counter[str](), Counter[str](), Counter[str]()
    covered = of_nothing = 0
    for row in rows("pii/presidio_synth_dev.jsonl"):
        if row["template_id"] % 2 != half:
            continue
        spans = find(FORMS, row["text"])
        known = [(it["start"], it["end"], _KINDS.get(it["type"])) for it in row["spans"]]
        for start, end, kind in known:
            if kind is not None:
                over = [
                    name
                    for at, to, name in spans
                    if 2 * (min(end, to) - max(start, at)) > end - start
                ]
                there[kind] += 1
                found[kind] += kind in over
                covered += bool(over)
        for at, to, kind in spans:
            over = [name for start, end, name in known if start < to and at < end]
            wrong[kind] += kind not in over
            of_nothing += not over
    print(f"personal data, templates of {'odd' if half else 'even'} number")
    for kind in sorted(there | +wrong):
        print(f"  {kind}: {found[kind]} of {there[kind]}; {wrong[kind]} of no such kind")
    hits, every = sum(found.values()), sum(there.values())
    precision = hits / (hits + sum(wrong.values()))
    print(f"  together: recall {hits / every:.3f} ({covered} of {every} covered),", end=" ")
    print(f"precision {precision:.3f} ({of_nothing} of no personal data)")


def _wrong_secrets() -> None:
    """There is none in any of these texts."""
    names = {"humaneval prompts": _human_eval(), "personal texts": _texts(), "prompts": _prompts()}
    for name, texts in names.items():
        several = list(texts)
        wrong = sum(bool(find(SECRETS, text)) for text in several)
        print(f"secrets in {name}: {wrong} of {len(several)}, where there are none")


def _human_eval() -> Iterable[str]:
    import gzip  # noqa: PLC0415 - for this alone

    data = gzip.decompress((EVALS / "humaneval/HumanEval.jsonl.gz").read_bytes())
    return [msgspec.json.decode(line)["prompt"] for line in data.splitlines()]


def _texts() -> Iterable[str]:
    return [row["text"] for row in rows("pii/presidio_synth_dev.jsonl")]


def _prompts() -> Iterable[str]:
    return [row["prompt"] for row in rows("injection/direct_dev.jsonl")]


def _prepared() -> PreparedGuardrails:
    input_ = (
        Guardrail("pii", "pii", "redact"),
        Guardrail("secrets", "secrets", "block"),
        Guardrail("injection", "injection", "block"),
    )
    made = prepare_guardrails(RouteGuardrails(input_, input_[:2]), None, {})
    assert made is not None
    return made


def _cost() -> None:
    made = _prepared()
    assert made.input is not None and made.output is not None
    for name, text in (("prose", _PROSE), ("personal texts", "\n".join(_texts()))):
        body = (text * 40)[: 32 * 1024]
        took_us = _best(lambda body=body: _request(body, made.input)) / (len(body) / 1024)
        print(f"a request of {name}: {took_us:.1f} us a KB (pii, secrets, injection)")
    judged = _model()
    for role in ("user", "tool"):
        body = (_PROSE * 40)[: 8 * 1024]
        took_us = _best(lambda body=body, role=role: _judge(body, role, judged)) / 8
        print(f"prose that a {role} sends: {took_us:.0f} us a KB more (injection_model)")
    for dialect, event in _EVENTS.items():
        events = [event(number, piece) for number, piece in enumerate(_pieces(_PROSE * 12))]
        plain_us = _best(lambda events=events, name=dialect: _stream(events, None, name)) / len(
            events
        )
        took_us = _best(
            lambda events=events, name=dialect: _stream(events, made.output, name)
        ) / len(events)
        beside = f"{plain_us:.2f} us of it the bench's own"
        print(f"a chunk of {dialect}: {took_us:.2f} us (pii, secrets), {beside}")


def _request(text: str, looking: Looking | None) -> None:
    messages = msgspec.Raw(msgspec.json.encode([{"role": "user", "content": text}]))
    ask = Ask("chat", b"", {"messages": messages}, "m")
    assert looking is not None
    guard_request(ask, Guarding(Receipt("r", 0.0, "g", "chat")), looking)


def _model() -> Looking:
    model = Guardrail("model", "injection_model", "mark", sides=("input",))
    made = prepare_guardrails(RouteGuardrails((model,)), None, {})
    assert made is not None and made.input is not None
    return made.input


def _judge(text: str, role: str, looking: Looking) -> None:
    messages = msgspec.Raw(msgspec.json.encode([{"role": role, "content": text}]))
    ask = Ask("chat", b"", {"messages": messages}, "m")
    judge_request(ask, Guarding(Receipt("r", 0.0, "g", "chat")), looking.judges)


def _stream(events: list[bytes], looking: Looking | None, dialect: str) -> None:
    if looking is None:
        for event in events:
            event.startswith(b"data")
        return
    texts = GuardedTexts(Guarding(Receipt("r", 0.0, "g", "chat")), looking, None)
    rewriter = _DIALECTS[dialect].rewriter(texts)
    for event in events:
        rewriter.feed(event)
    rewriter.end(b"")


def _pieces(text: str) -> list[str]:
    """As tokens come: a word, or four letters of a longer one."""
    out = []
    for word in text.split(" "):
        spaced = f" {word}"
        out += [spaced[at : at + 5] for at in range(0, len(spaced), 5)]
    return out


def _of_chat(number: int, text: str) -> bytes:
    del number
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    chunk = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: %b\n\n" % msgspec.json.encode({**chunk, "choices": [choice]})


def _of_messages(number: int, text: str) -> bytes:
    del number
    delta = {"type": "text_delta", "text": text}
    told = {"type": "content_block_delta", "index": 0, "delta": delta}
    return b"event: content_block_delta\ndata: %b\n\n" % msgspec.json.encode(told)


def _of_responses(number: int, text: str) -> bytes:
    kind = "response.output_text.delta"
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    told = {"type": kind, **place, "delta": text, "logprobs": [], "sequence_number": number}
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(told))


_EVENTS: Final = {
    "openai_chat": _of_chat,
    "anthropic_messages": _of_messages,
    "openai_responses": _of_responses,
}


def _best(work: Callable[[], None]) -> float:
    """Microseconds of CPU, the least of several: the machine is not alone."""
    work()
    least = float("inf")
    for _ in range(_TIMES):
        began = time.process_time()
        work()
        least = min(least, time.process_time() - began)
    return least * 1e6


if __name__ == "__main__":
    main()
