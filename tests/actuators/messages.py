"""Messages to send."""

from typing import Any

from tidegate.core.notice import Message, Notice

NOON_S = 1_790_000_000.0


def notice(**fields: Any) -> Notice:
    plain: dict[str, Any] = {
        "id": "n1",
        "key": "burn/chat/ttft",
        "topic": "burn",
        "severity": "page",
        "title": "chat burns its budget 14.4 times too fast",
        "text": "p99 first token is 4.2 s, 3 s are promised.",
        "at_s": NOON_S,
        "route": "chat",
    }
    return Notice(**{**plain, **fields})


def message(*notices: Notice, **fields: Any) -> Message:
    plain: dict[str, Any] = {"id": "m1", "source": "production", "at_s": NOON_S + 1}
    return Message(**{**plain, **fields}, notices=notices or (notice(),))


def many(count: int, **fields: Any) -> Message:
    return message(
        *(notice(id=f"n{i}", key=f"k{i}", title=f"title {i}", **fields) for i in range(count))
    )


def ending(of: Message) -> Message:
    over = {"resolved_at_s": NOON_S + 600, "resolution": "It is back to 1 s."}
    notices = tuple(notice(**{**_fields(one), **over}) for one in of.notices)
    return Message("m2", of.source, NOON_S + 601, notices, of.id)


def _fields(one: Notice) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}
