"""How many tokens a conversation has: asked of a target that counts its own wire, else counted.

Nothing of it is charged, and only what goes to a provider leaves a receipt.
"""

import asyncio
from typing import Final

import msgspec

from tidegate.core.ask import OPENAI_RESPONSES, Ask
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.accept import accept
from tidegate.gateway.authenticate import authenticate
from tidegate.gateway.entry import Entry
from tidegate.gateway.http import answers
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.life import live
from tidegate.gateway.prompted import written
from tidegate.gateway.resolve import resolve
from tidegate.gateway.size import estimate_input_tokens
from tidegate.gateway.world import World

# A longer body is counted beside the loop.
AT_ONCE_BYTES: Final = 16 * 1024
_ESTIMATED: Final = b"x-tidegate-tokens: estimated\r\n"
_RESPONSES: Final = {"object": "response.input_tokens"}
# What brings along a conversation that is not in the request.
_ELSEWHERE: Final = ("previous_response_id", "conversation", "prompt")


async def count(incoming: Incoming, connection: Connection, entry: Entry, world: World) -> None:
    """Answers one request for a count."""
    receipt = Receipt(world.ids.new(), 0.0, world.gateway, entry.endpoint)
    ids = answers.request_id_header(receipt.id)
    try:
        key = await authenticate(incoming.head, world.keys, receipt)
        ask = accept(incoming, entry, receipt)
        route = resolve(ask, key, world.obeyed(), receipt, incoming.head.headers)
        _check_whole(ask, ours=route.prompt is not None)
        target = route.target.target
        passing = [it.provider.passthrough.get(ask.dialect) for it in route.targets()]
        if all(it is not None and it.counts_tokens for it in passing):
            await live(incoming, connection, entry, world)
            return
        written(ask, route, receipt)
        if len(ask.body) <= AT_ONCE_BYTES:  # with what the route adds to it
            tokens = estimate_input_tokens(ask, target.tokenizer)
        else:
            tokens = await asyncio.to_thread(estimate_input_tokens, ask, target.tokenizer)
        head = answers.json_head(200) + _ESTIMATED + ids
        told: dict[str, str | int] = {} if ask.dialect != OPENAI_RESPONSES else dict(_RESPONSES)
        connection.send(head, msgspec.json.encode({**told, str(entry.counted): tokens}))
    except Refusal as no:
        world.listener.refused(no.code.name)
        dialect = entry.dialect
        status = no.code.status if dialect is None else dialect.status(no)
        body = answers.error_body(no) if dialect is None else dialect.error(no, receipt.id)
        connection.send(answers.error_head(no, status) + ids, body)


def _check_whole(ask: Ask, *, ours: bool) -> None:
    """Refusal where a part of the conversation is not here to be counted. `ours`: the prompt is the
    route's."""
    if ask.dialect != OPENAI_RESPONSES:
        return
    for name in _ELSEWHERE:
        if name == "prompt" and ours:
            continue
        if bytes(ask.members.get(name, b"null")) != b"null":
            message = f"`{name}`: what it brings along is not known here; send the conversation"
            raise Refusal("unsupported_parameter", message, param=name)
