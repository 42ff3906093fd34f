"""OpenAI's errors, in chat and Responses alike."""

import msgspec

from tidegate.core.outcome import Failure, Refusal


def status_of(no: Refusal | Failure) -> int:
    return no.status if isinstance(no, Failure) else no.code.status


def error_body(no: Refusal | Failure) -> bytes:
    code = no.code
    error = {"message": no.message, "type": code.type, "param": no.param, "code": code.name}
    if isinstance(no, Refusal) and no.excess is not None:
        return msgspec.json.encode({"error": {**error, "limit": no.excess}})
    return msgspec.json.encode({"error": error})
