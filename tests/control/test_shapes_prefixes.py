"""What may be asked of prefix caches."""

import msgspec
import pytest

from tidegate.control.shapes_prefixes import PrefixQuery, UnstableQuery


@pytest.mark.parametrize("kind", [PrefixQuery, UnstableQuery])
@pytest.mark.parametrize("wrong", [{"since_s": 0}, {"route": ""}, {"since_s": 4e7}, {"x": 1}])
def test_a_query_is_bounded(kind: type, wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, kind)
    assert msgspec.convert({"route": "chat"}, kind).since_s >= 86_400
