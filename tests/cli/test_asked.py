"""Reading a request from a file, as a gateway would."""

import pytest

from tidegate.cli._asked import told_path
from tidegate.gateway.entry import dialects, entries
from tidegate.text.strict_json import read_object


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"{}", "/v1/chat/completions"),
        (b'{"model":"a","messages":[]}', "/v1/chat/completions"),
        (b'{"messages":[],"tools":[{"function":{}}]}', "/v1/chat/completions"),
        (b'{"messages":[],"tools":[{"input_schema":{}}]}', "/v1/messages"),
        (b'{"messages":[],"thinking":{}}', "/v1/messages"),
        (b'{"prompt":"x","messages":[]}', "/v1/completions"),
        (b'{"input":[[1,2]]}', "/v1/embeddings"),
        (b'{"input":"x","encoding_format":"float"}', "/v1/embeddings"),
        (b'{"input":"x","instructions":"y"}', "/v1/responses"),
        (b'{"input":[ {"role":"user"}]}', "/v1/responses"),
    ],
)
def test_a_body_tells_where_it_is_sent(body: bytes, path: str) -> None:
    assert told_path(read_object(body, frozenset())) == path
    assert path.encode() in entries(dialects())
