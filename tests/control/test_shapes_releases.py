import msgspec
import pytest

from tidegate.control.shapes_releases import AskRelease, OneRelease


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "chat/next", "what": "explode"}',
        b'{"id": "chat/next", "what": "start", "now": true}',
        b'{"id": "a\\u0007/b", "what": "start"}',
        b'{"id": "", "what": "start"}',
    ],
)
def test_what_nobody_may_ask_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=AskRelease)


def test_an_id_is_asked_for() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b"{}", type=OneRelease)
