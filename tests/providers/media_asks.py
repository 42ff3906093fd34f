"""What is no chat, as the gateway has read it, for the codecs that are asked."""

from typing import Any

import msgspec
from msgspec import Raw

from tidegate.core.ask import MEDIA, Ask
from tidegate.core.metered import Metered
from tidegate.core.plan import Replica, Target
from tidegate.text.form import read_form

TARGET = Target("t", "p", "d", "their-model", (Replica("r", "http", "h", 80, "/v1"),))
SSE = (b"text/event-stream",)
FORM = (
    b'--xx\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n'
    b'--xx\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    b"RIFF\r\n--xx--\r\n"
)


def asked(endpoint: Any, body: dict[str, Any] | None = None, **fields: Any) -> Ask:
    told = msgspec.json.encode({"model": "m", **(body or {})})
    members = msgspec.json.decode(told, type=dict[str, Raw])
    ask = Ask(endpoint, told, members, "m", dialect=MEDIA, metered=Metered(**fields))
    ask.stream = bool(fields.get("streams"))
    return ask


def form_asked(endpoint: Any, **fields: Any) -> Ask:
    form = read_form(b"multipart/form-data; boundary=xx", FORM)
    ask = asked(endpoint, form=form, **fields)
    ask.body = FORM
    return ask


def ranked(*documents: Any, **members: Any) -> Ask:
    body = {"query": "q", "documents": list(documents), **members}
    return asked("rerank", body, documents=len(documents))
