"""A target's probe, ready to be sent: its request, what its answer is held against, its bounds."""

import re
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from tidegate.core.ask import Ask
from tidegate.core.outcome import Failure
from tidegate.core.plan import Contract, Release, Route
from tidegate.core.probe import Expect, Probe
from tidegate.core.receipt import Receipt
from tidegate.core.resilience import Deadlines, Retry
from tidegate.gateway.contract import Following, PreparedContract
from tidegate.gateway.demand import demand_of
from tidegate.gateway.prepared_route import PreparedRoute, prepare_route
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.retry_budget import RetryBudget
from tidegate.text import tokens
from tidegate.text.strict_json import read_object

_encode = msgspec.json.Encoder().encode
_ONCE: Final = Retry(attempts=1)


class PreparedProbe(Struct, eq=False):
    """`target` is the plan's own but for its deadlines, which end with the probe's. `route` is one
    of no plan: it leads to this target alone. `most_nanousd` is the most that one probe can cost,
    None where nobody knows; `input_tokens` what it takes of what a provider allows us."""

    probe: Probe
    target: PreparedTarget
    route: PreparedRoute
    ask: Ask
    contract: PreparedContract | None
    most_nanousd: int | None
    input_tokens: int

    def follow(self, ask: Ask) -> Following | None:
        """What its answer is held against as it comes; None where it has no content."""
        if self.contract is None:
            return None
        return ProbeFollowing(self.contract, ask, asked=self.probe.expect is not None)


class ProbeFollowing(Following):
    """An answer that was cut at its bound may be a good one: a probe's is bounded tightly. It is
    judged by what came, and where nothing was asked of it (`asked`) it is good."""

    def __init__(self, prepared: PreparedContract, ask: Ask, *, asked: bool) -> None:
        super().__init__(prepared, ask)
        self._asked = asked

    def end(
        self, *, truncated: bool, called: bool, ended_twice: bool, refused: bool = False
    ) -> Failure | None:
        if (truncated or refused) and not self._asked:
            return None
        return super().end(truncated=False, called=called, ended_twice=ended_twice)


def prepare_probe(probe: Probe, target: PreparedTarget) -> PreparedProbe:
    """SchemaProblem where what it expects does not compile."""
    ask = _ask(probe, target.target.model)
    bounded = structs.replace(target, target=_within(target, probe.timeout_s))
    release = Release(PROBE_RELEASE, bounded.target)
    route = Route("", release, retry=_ONCE)
    receipt = Receipt("", 0.0, "", ask.endpoint)
    return PreparedProbe(
        probe,
        bounded,
        prepare_route(route, {bounded.target.name: bounded}, RetryBudget(_ONCE)),
        ask,
        _contract(probe.expect) if probe.endpoint == "chat" else None,
        demand_of(ask, receipt, bounded, probe.max_tokens).cost_nanousd,
        tokens.estimate(len(ask.body)),
    )


PROBE_RELEASE: Final = "probe"


def _within(target: PreparedTarget, timeout_s: float) -> Any:
    at = target.target.deadlines
    bounds = (min(it, timeout_s) for it in structs.astuple(at))
    return structs.replace(target.target, deadlines=Deadlines(*bounds))


def _ask(probe: Probe, model: str) -> Ask:
    """As a caller would ask it who speaks OpenAI's API."""
    if probe.endpoint == "embeddings":
        body = _encode({"model": model, "input": probe.prompt})
        return Ask("embeddings", body, read_object(body, frozenset()), model)
    messages = [{"role": "user", "content": probe.prompt}]
    if probe.system is not None:
        messages.insert(0, {"role": "system", "content": probe.system})
    body = _encode({"model": model, "messages": messages, "stream": True})
    ask = Ask("chat", body, read_object(body, frozenset()), model, stream=True)
    # As our own bound it goes out by the name that the target's wire has for it.
    ask.output_ceiling_tokens = ask.output_bound_tokens = probe.max_tokens
    return ask


def _contract(expect: Expect | None) -> PreparedContract:
    expect = expect or Expect()
    regex = expect.regex
    if expect.contains is not None:
        regex = f"(?i){re.escape(expect.contains)}"
    return PreparedContract(
        Contract(
            json=expect.json,
            json_schema=expect.json_schema,
            regex=regex,
            max_chars=expect.max_length or Contract().max_chars,
            on_violation="fail",
        )
    )
