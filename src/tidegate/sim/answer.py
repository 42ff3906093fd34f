"""One generating request, from its body to its last byte: plan, compute, pace out, account."""

from tidegate.core import clock
from tidegate.sim import asked as ask
from tidegate.sim import faults, wire
from tidegate.sim.asked import Asked, Chat
from tidegate.sim.generation import Job
from tidegate.sim.outlet import Outlet
from tidegate.sim.pump import Pump, Ticket
from tidegate.sim.record import Entry
from tidegate.sim.script import Cue

# Bounds what one step may put into a slow reader's buffer.
_EVENTS_A_WRITE = 256


class Generation:
    """What one request needs beside the engine: its job, its way out and its fault."""

    def __init__(
        self, asked: Asked, job: Job, outlet: Outlet, entry: Entry, cue: Cue | None
    ) -> None:
        self._asked = asked
        self._job = job
        self._outlet = outlet
        self._entry = entry
        self._cue = cue
        kind: wire.Kind = "chat" if isinstance(asked, Chat) else "completions"
        self._shape = wire.Shape(kind, entry.id, int(clock.wall_s()), asked.model or "")
        if asked.include_usage:
            self._shape.expect_usage()

    async def run(self, pump: Pump) -> None:
        """Answers. Whatever ends it early also takes it out of the engine."""
        entry = self._entry
        ticket = pump.submit(self._job.requests)
        try:
            if self._asked.stream:
                await self._stream(ticket)
            else:
                await self._whole(ticket)
        finally:
            pump.leave(ticket)
            entry.tokens_generated = ticket.generated
            entry.cached_tokens = ticket.cached_tokens

    async def _whole(self, ticket: Ticket) -> None:
        while await ticket.news():
            pass
        reports = faults.usage_reports(self._cue, self._usage(ticket))
        await self._outlet.whole(200, self._shape.whole(self._job.choices, reports))

    async def _stream(self, ticket: Ticket) -> None:
        shape, choices, outlet = self._shape, self._job.choices, self._outlet
        sent = [0] * len(choices)
        started = False
        silent = self._cue is not None and self._cue.fault == "no_finish"
        while news := await ticket.news():
            if not started:
                started = True
                roles = range(len(choices)) if shape.chat else range(0)
                await outlet.start([shape.role(index) for index in roles])
            events = []
            ended = []
            for index, tokens in news:
                choice = choices[index]
                first = sent[index]
                sent[index] = last = first + tokens
                for at in range(first, last):
                    events.append(shape.token(index, choice, at))
                    if len(events) == _EVENTS_A_WRITE:
                        await outlet.events(events)
                        events = []
                if last >= choice.generated:
                    ended.append(shape.finish(index, choice.finish_reason))
            if events:
                await outlet.events(events)
            if ended and not silent and ticket.open:
                await outlet.aside(ended)
        closing = [] if silent else ended
        if self._asked.include_usage:
            reports = faults.usage_reports(self._cue, self._usage(ticket))
            closing = closing + [shape.usage(report) for report in reports]
        await outlet.end(closing)

    def _usage(self, ticket: Ticket) -> dict[str, object]:
        return wire.usage(self._job, ticket.generated, ticket.cached_tokens)


def not_found(model: str | None) -> ask.Problem:
    return ask.Problem(404, f"The model `{model}` does not exist.", "model")
