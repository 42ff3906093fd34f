"""guard: where a request meets the guardrails of its route: on its way in, and its answer's out.

A request of a route without any never comes here.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final

from msgspec import Raw

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import OPENAI_CHAT
from tidegate.gateway.answer_head import answer_head
from tidegate.gateway.guard_bodies import BODIES
from tidegate.gateway.guard_input import (
    AT_ONCE_BYTES,
    check_form,
    check_request,
    guard_request,
    looked_at,
)
from tidegate.gateway.guard_output import GuardingOutput
from tidegate.gateway.guard_sources import judge_request
from tidegate.gateway.guard_windows import Windows
from tidegate.gateway.guarding import Guarding
from tidegate.gateway.metered_request import measure_again
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.progress import Progress
from tidegate.gateway.stream import Relay
from tidegate.gateway.world import World

_TRANSCRIPTS: Final = frozenset({"transcriptions", "translations"})
# Forms of a transcript in which a text stands by the piece.
_CUES: Final = frozenset({b'"srt"', b'"vtt"'})
_SOUND: Final = b'"audio"'
# One that judges whose a text is takes longer for each.
JUDGED_AT_ONCE_BYTES: Final = 8 * 1024


async def guard(progress: Progress, ask: Ask, route: PreparedRoute) -> None:
    """Looks through the request, which is another where something of it was redacted. Refusal."""
    if takes_long(ask, route):
        await asyncio.to_thread(guard_at_once, progress, ask, route)
    else:
        guard_at_once(progress, ask, route)
    guardrails, guarding = route.guardrails, progress.guarding
    if guardrails is None or guardrails.input is None or guarding is None:
        return
    if guardrails.input.checks:
        before = ask.members
        await check_request(ask, guarding, guardrails.input.checks, progress.until_s)
        _check_changed(progress, ask, before)


def takes_long(ask: Ask, route: PreparedRoute) -> bool:
    """Whether it is looked through beside the loop."""
    guardrails = route.guardrails
    if guardrails is None:
        return False
    judged = guardrails.input is not None and guardrails.input.judges
    return len(ask.body) > (JUDGED_AT_ONCE_BYTES if judged else AT_ONCE_BYTES)


def guard_at_once(progress: Progress, ask: Ask, route: PreparedRoute) -> bool:
    """Those that ask nobody. Whether that was all of them. Refusal."""
    guardrails = route.guardrails
    if guardrails is None:
        return True
    looking = guardrails.input
    if looking is None and guardrails.output is None:
        return True
    if guardrails.output is not None:
        _check_readable(ask)
    guarding = progress.guarding = progress.guarding or Guarding(progress.receipt, ask.body)
    if looking is None:
        return True
    before = ask.members
    guard_request(ask, guarding, looking)
    _check_changed(progress, ask, before)
    if looking.judges:
        judge_request(ask, guarding, looking.judges)
    return not looking.checks


def _check_readable(ask: Ask) -> None:
    """Refusal where an answer is asked for that nobody could look through."""
    if ask.endpoint in _TRANSCRIPTS:
        if ask.stream or bytes(ask.members.get("response_format", b"")) in _CUES:
            message = "that model's transcripts are looked through as a whole: ask for json or text"
            raise Refusal("unsupported_parameter", message, param="response_format")
    elif _SOUND in bytes(ask.members.get("modalities", b"")):
        message = "that model's answers are looked through, and sound cannot be: ask for text"
        raise Refusal("unsupported_parameter", message, param="modalities")


def _check_changed(progress: Progress, ask: Ask, before: Mapping[str, Raw]) -> None:
    """Refusal where it cannot be sent with what it has become."""
    check_form(ask, before)
    if ask.metered is not None and ask.members is not before:
        measure_again(ask, ask.metered, progress.receipt)


def route_guards(progress: Progress) -> bool:
    """Whether its answer may be another than its provider's."""
    guardrails = None if progress.route is None else progress.route.guardrails
    if guardrails is None or progress.ask is None or progress.ask.endpoint not in BODIES:
        return False
    return progress.guarding is not None or guardrails.buffer is not None


def rewrite(progress: Progress, relay: Relay, world: World) -> None:
    """Has a stream go out as guardrails and its route's buffer have it; captures hear what does."""
    output = _output(progress, world)
    follower = None
    if progress.capturing is not None:
        follower = progress.capturing.hear(None if output.changes else relay.following)
        if not output.changes:
            relay.reader.follower, follower = follower, None
    relay.rewriter = output.rewriter(follower)
    relay.max_wait_s = output.max_wait_s
    if output.withholds:
        relay.withhold()
    elif output.asks and not relay.withheld:
        relay.screen = Windows(
            output, relay, lambda: progress.answer_until_s, partial(_forget, progress)
        )


def _forget(progress: Progress) -> None:
    """What was heard of its answer is not what goes out."""
    progress.capturing = None


async def guard_answer(progress: Progress, body: bytes, world: World) -> bytes:
    """The body of a whole answer as it may go out. Refusal."""
    output = _output(progress, world)
    body = await looked_at(len(body), partial(output.whole, body))
    if progress.capturing is not None and progress.answer is not None:
        progress.answer = output.answer(progress.answer)
    return body


async def check_answer(progress: Progress, ask: Ask, world: World) -> None:
    """Asks addresses about an answer of which nothing is out yet. Refusal."""
    if not is_checked(progress) or ask.endpoint not in BODIES or ask.counts:
        return
    output = _output(progress, world)
    relay = progress.relay
    if relay is not None and (relay.screen is not None or ask.metered is not None):
        return  # it has been, or is a stream of images
    if relay is not None:
        body = await _checked(progress, output, ask, relay.take_withheld(), world)
        relay.put_withheld(body)
        relay.shown_s = clock.monotonic_s()
        return
    ending = progress.ending
    if isinstance(ending, partial):
        body = await _checked(progress, output, ask, ending.args[1], world)
        progress.ending = partial(progress.connection.send, answer_head(progress, ask), body)


def guard_given(progress: Progress, body: bytes, world: World) -> bytes:
    """A kept answer's body as those have it that ask nobody. Refusal."""
    ask = progress.ask
    assert ask is not None  # noqa: S101 - it has been answered
    return _output(progress, world).kept(body, streamed=ask.stream)


def is_checked(progress: Progress) -> bool:
    """Whether an address is asked about its answer."""
    guardrails = None if progress.route is None else progress.route.guardrails
    if guardrails is None or guardrails.output is None:
        return False
    return bool(guardrails.output.checks)


async def check_given(progress: Progress, world: World) -> None:
    """Asks addresses about a kept answer. Refusal."""
    given, ask = progress.given, progress.ask
    assert given is not None and ask is not None  # noqa: S101 - see `give`
    body = await _checked(progress, _output(progress, world), ask, given.body, world)
    if given.head is None or progress.begun:  # it may have begun while an address was asked
        progress.ending = partial(progress.connection.finish, body)
    else:
        progress.ending = partial(progress.connection.send, given.head, body)


async def _checked(
    progress: Progress, output: GuardingOutput, ask: Ask, body: bytes, world: World
) -> bytes:
    """Its caller hears signs of life while an address is asked."""
    if progress.relay is not None:
        progress.begun = progress.begun or progress.relay.committed
        progress.quiet_since_s = progress.relay.quiet_since_s
    world.pausing.add(progress)
    try:
        made = await output.check(body, ask, progress.answer_until_s)
        if made is not body:
            progress.capturing = None  # it has heard what was taken out since
        return made
    finally:
        world.pausing.discard(progress)
        if progress.relay is not None:
            progress.relay.committed = progress.begun


def _output(progress: Progress, world: World) -> GuardingOutput:
    route, ask = progress.route, progress.ask
    assert route is not None and route.guardrails is not None and ask is not None  # noqa: S101
    dialect = world.dialects.get(ask.dialect) or world.dialects[OPENAI_CHAT]
    return GuardingOutput(progress.guarding, route.guardrails, dialect, BODIES[ask.endpoint])
