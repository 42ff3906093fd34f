"""A route's contract, held against one answer as it comes.

Nothing is held back for it: the first byte that makes an answer impossible is known with the chunk
that it comes in, a schema and a pattern are held against the whole at the end.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.ask import Answer, Ask
from tidegate.core.outcome import Failure
from tidegate.core.plan import Contract
from tidegate.core.receipt import Validity
from tidegate.gateway.asked_tools import AskedTools
from tidegate.text.json_follower import JsonFollower
from tidegate.text.json_schema import Regex, Schema, Violation

MAX_CALLS = 128
# The code of the Failure that an answer is which broke its contract.
VIOLATION: Final = "upstream_invalid_answer"
# Finish reasons by which a wire tells of a refusal, as the dialects write them, in lower case.
_REFUSED: Final = frozenset(
    {"content_filter", "content_filtered", "guardrail_intervened", "refusal", "safety"}
    | {"recitation", "language", "blocklist", "prohibited_content", "spii", "model_armor"}
    | {"escalation", "sensitive", "image_safety", "image_prohibited_content", "image_recitation"}
)
# Evaluations of a stranger's schema, times characters held against it: 0.2 s at the worst.
MAX_WORK = 10_000_000
_TOO_LONG: Final = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_context_window_exceeded"}
)
# What fits, however it ended.
_KEPT: Final = frozenset({"valid", "duplicate_terminator"})
_NO_ARGUMENTS: Final = b"{}"
_decode = msgspec.json.Decoder().decode


class Verdict(Struct, frozen=True):
    """What was found of one answer. `seen_bytes` of its content were passed on before."""

    validity: Validity
    at_bytes: int | None = None
    path: str | None = None
    rule: str | None = None
    seen_bytes: int | None = None


class PreparedContract:
    """A contract, compiled. SchemaProblem when it does not compile."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.schema = None if contract.json_schema is None else Schema(contract.json_schema)
        self.regex = None if contract.regex is None else Regex(contract.regex)
        self.tools = AskedTools() if contract.tools else None

    def follow(self, ask: Ask) -> "Following":
        return Following(self, ask)


class _Text:
    """What has come of one choice's content, or of one call's arguments."""

    __slots__ = ("chars", "json", "parts")

    def __init__(self, *, json: bool) -> None:
        self.parts: list[str] = []
        self.chars = 0
        self.json = JsonFollower() if json else None

    def whole(self) -> str:
        return "".join(self.parts)


class Following:
    """core.plugs.Follower of one answer. What breaks the contract first is the verdict.

    `passes_on` says that what is fed goes to the caller at once.
    """

    def __init__(self, prepared: PreparedContract, ask: Ask) -> None:
        self._prepared = prepared
        self._ask = ask
        self._json = prepared.contract.json or prepared.schema is not None
        self._contents: dict[int, _Text] = {}
        self._calls: dict[tuple[int, int], _Text] = {}
        self._names: dict[tuple[int, int], str] = {}
        self._seen_bytes = 0
        self._broken: Verdict | None = None
        self._broken_in = 0
        self.passes_on = ask.stream and not prepared.contract.buffer

    def content(self, choice: int, text: str) -> Failure | None:
        """Failure as soon as the answer cannot fit any more and the plan says `fail`."""
        if self._broken is not None:
            return None
        said = self._contents.get(choice)
        if said is None:
            said = self._contents[choice] = _Text(json=self._json)
        broken = self._add(said, text)
        if broken is not None:
            return self._break(broken, choice)
        if self.passes_on:
            self._seen_bytes += len(text.encode())
        return None

    def called(self, choice: int, call: int, name: str, arguments: str) -> Failure | None:
        if self._prepared.tools is None or self._broken is not None:
            return None
        place = (choice, call)
        said = self._calls.get(place)
        if said is None:
            if len(self._calls) >= MAX_CALLS:
                many = Verdict("schema_violation", path="/tool_calls", rule="maxItems")
                return self._break(many, choice)
            said = self._calls[place] = _Text(json=True)
        if name:
            self._names[place] = name
        broken = self._add(said, arguments)
        if broken is None:
            return None
        broken = msgspec.structs.replace(broken, path=f"/tool_calls/{call}/arguments")
        return self._break(broken, choice)

    def end(
        self, *, truncated: bool, called: bool, ended_twice: bool, refused: bool = False
    ) -> Failure | None:
        """The answer has come to its proper end. Failure when it does not fit and may not pass.
        One that holds nothing because the model has `refused` is not judged."""
        if self._broken is None:
            if refused and not called and not self._contents:
                return None
            self._broken = self._judge(truncated, called, ended_twice)
        kept = self._broken.validity in _KEPT or self.contract.on_violation == "mark"
        return None if kept else _failure(self._broken)

    @property
    def contract(self) -> Contract:
        return self._prepared.contract

    def shown(self) -> tuple[str, list[tuple[str, str]]]:
        """What came of the choice that broke the contract, up to there: its content, and the names
        and arguments of its calls, as far as these were followed."""
        which = self._broken_in
        content = self._contents.get(which)
        calls = [
            (self._names.get(place, ""), said.whole())
            for place, said in self._calls.items()
            if place[0] == which
        ]
        return "" if content is None else content.whole(), calls

    @property
    def verdict(self) -> Verdict | None:
        """What was found, or so far of an answer that did not come to its end."""
        return self._broken

    def _add(self, said: _Text, text: str) -> Verdict | None:
        said.chars += len(text)
        said.parts.append(text)
        if said.chars > self._prepared.contract.max_chars:
            return Verdict("schema_violation", path="", rule="maxLength")
        if said.json is not None and not said.json.feed(text.encode()):
            return Verdict("malformed", at_bytes=said.json.error_at)
        return None

    def _break(self, verdict: Verdict, choice: int) -> Failure | None:
        verdict = msgspec.structs.replace(verdict, seen_bytes=self._seen_bytes)
        self._broken, self._broken_in = verdict, choice
        return None if self.contract.on_violation == "mark" else _failure(verdict)

    def _judge(self, truncated: bool, called: bool, ended_twice: bool) -> Verdict:
        found: Verdict | None
        if truncated:
            found = Verdict("truncated")
        elif not called and not any(said.chars for said in self._contents.values()):
            found = Verdict("empty")
        else:
            found = self._judge_contents() or self._judge_calls()
        if found is None:
            return Verdict("duplicate_terminator" if ended_twice else "valid")
        return msgspec.structs.replace(found, seen_bytes=self._seen_bytes)

    def _judge_contents(self) -> Verdict | None:
        for choice, said in self._contents.items():
            self._broken_in, text = choice, said.whole()
            if said.json is not None:
                found = _judge_json(said.json, text, self._prepared.schema, "")
                if found is not None:
                    return found
            if self._prepared.regex is not None and not self._prepared.regex.found_in(text):
                return Verdict("schema_violation", path="", rule="pattern")
        return None

    def _judge_calls(self) -> Verdict | None:
        tools = self._prepared.tools
        for (choice, call), said in self._calls.items():
            assert tools is not None and said.json is not None  # noqa: S101 - only then followed
            self._broken_in = choice
            above = f"/tool_calls/{call}"
            known, schema = tools.schema(self._ask, self._names.get((choice, call), ""))
            if not known:
                return Verdict("schema_violation", path=f"{above}/name", rule="enum")
            if schema is not None and schema.evaluations * said.chars > MAX_WORK:
                schema = None
            if not said.chars:  # none are as good as empty ones
                said.json.feed(_NO_ARGUMENTS)
            text = said.whole() or _NO_ARGUMENTS.decode()
            found = _judge_json(said.json, text, schema, f"{above}/arguments")
            if found is not None:
                return found
        return None


def judge_answer(following: Following, answer: Answer) -> None:
    """Holds a whole answer against its contract. Failure when it may not pass. What has no choices,
    such as an embedding, has nothing to hold."""
    if not answer.said:
        return
    failure: Failure | None = None
    for choice, said in enumerate(answer.said):
        if said.content:
            failure = failure or following.content(choice, said.content)
        for call, (name, arguments) in enumerate(said.calls):
            failure = failure or following.called(choice, call, name, arguments)
    failure = failure or following.end(
        truncated=is_truncated(answer.finish_reason),
        called=any(said.calls or said.acts for said in answer.said),
        ended_twice=False,
        refused=is_refused(answer.finish_reason) or any(said.refused for said in answer.said),
    )
    if failure is not None:
        raise failure


def is_truncated(finish_reason: str | None) -> bool:
    """Whether an answer ended because it may not be longer, in whichever dialect's word."""
    return finish_reason is not None and finish_reason.lower() in _TOO_LONG


def is_refused(finish_reason: str | None) -> bool:
    """Whether a provider's own rules have ended an answer, in whichever dialect's word."""
    return finish_reason is not None and finish_reason.lower() in _REFUSED


def _judge_json(
    followed: JsonFollower, text: str, schema: Schema | None, above: str
) -> Verdict | None:
    if not followed.complete:
        return Verdict("malformed", at_bytes=followed.fed_bytes, path=above or None)
    if schema is None:
        return None
    try:
        value: Any = _decode(text)
    except (msgspec.DecodeError, RecursionError):  # a number beyond what anybody can hold
        return Verdict("malformed", path=above or None)
    violation: Violation | None = schema.violation(value)
    if violation is None:
        return None
    return Verdict("schema_violation", path=above + violation.path, rule=violation.rule)


def _failure(verdict: Verdict) -> Failure:
    """In words that hold nothing of the answer."""
    what = verdict.validity.replace("_", " ")
    if verdict.rule is not None:
        what += f" ({verdict.rule})"
    if verdict.at_bytes is not None:
        what += f" at byte {verdict.at_bytes}"
    message = f"the answer does not keep the contract of its route: {what}"
    return Failure("malformed", VIOLATION, message)
