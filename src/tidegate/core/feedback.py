"""Feedback: what somebody who saw an answer says of it, by the answer's request id."""

import re
from typing import Final, Literal

import msgspec
from msgspec import Struct

# Each kind is said once of a request by a key; what is said later stands.
Kind = Literal["rating", "comment", "regenerated", "tags"]
MAX_COMMENT_CHARS: Final = 4000
MAX_TAGS: Final = 10
MAX_TAG_CHARS: Final = 64
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Feedback(Struct, frozen=True, omit_defaults=True):
    """One thing that was said. `rating` is from -1 to 1. The key is the one that said it, with its
    team and customer; whether it made the request, only the receipt tells."""

    receipt_id: str
    key_id: str
    kind: Kind
    at_s: float
    team: str | None = None
    customer: str | None = None
    rating: float | None = None
    comment: str | None = None
    tags: tuple[str, ...] = ()


def is_request_id(text: str) -> bool:
    """Whether a gateway could have given this id to a request."""
    return _ID.fullmatch(text) is not None


encode_feedback = msgspec.msgpack.Encoder().encode
decode_feedback = msgspec.msgpack.Decoder(Feedback).decode
