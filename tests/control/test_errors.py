"""The control API's closed list of refusals."""

from typing import get_args

import msgspec

from tidegate.control.errors import ApiError, ErrorCode


def test_every_code_has_a_status_and_openai_s_shape() -> None:
    for code in get_args(ErrorCode):
        error = ApiError(code, "words", param="field")
        assert 400 <= error.status < 600
        body = msgspec.json.decode(error.json())["error"]
        assert body["code"] == code
        assert set(body) == {"message", "type", "param", "code"}


def test_problems_are_there_only_where_there_are_some() -> None:
    body = msgspec.json.decode(ApiError("plan_refused", "no", problems=["a", "b"]).json())
    assert body["error"]["problems"] == ["a", "b"]
