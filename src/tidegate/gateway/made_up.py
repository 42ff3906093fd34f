"""made_up: a stated answer, in its caller's wire and form, that no model has made.

It is whole, ends as a text does that has been said to its end, and tells of no token.
"""

from functools import partial

from tidegate.core import clock
from tidegate.core.ask import Usage
from tidegate.core.conversation import Text
from tidegate.core.plugs import Stamp
from tidegate.core.spoken import FINISH_REASONS, Choice, Spoken, unfold
from tidegate.gateway.answer_head import made_head
from tidegate.gateway.progress import Progress
from tidegate.gateway.world import World

_NOTHING = Usage(input_tokens=0, output_tokens=0)


def say(progress: Progress, text: str, world: World) -> None:
    """What the request ends by."""
    ask, receipt = progress.ask, progress.receipt
    assert ask is not None  # noqa: S101 - it was accepted
    dialect, stamp = world.dialects[ask.dialect], Stamp(receipt.id, receipt.started_at_s)
    choices = [Choice([Text(text)], "stop") for _ in range(max(ask.choices, 1))]
    spoken = Spoken(usage=_NOTHING, choices=choices)
    if ask.stream:
        writer = dialect.writer(ask, stamp)
        body = writer.write(unfold(spoken)) + writer.close()
        receipt.ttft_s = clock.monotonic_s() - progress.received_s
    else:
        body = dialect.whole(ask, stamp, spoken)
    receipt.finish_reason = FINISH_REASONS["stop"]
    progress.capturing = None  # there is no answer to be kept
    if progress.begun:
        progress.ending = partial(progress.connection.finish, body)
    else:
        progress.ending = partial(progress.connection.send, made_head(progress, ask), body)
