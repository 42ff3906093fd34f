"""What an invalidation's answer says."""

import msgspec

from tidegate.control.shapes_cache import AnswersGone
from tidegate.core.cache_labels import EVERYTHING


def test_it_names_what_was_meant_and_who_has_not_obeyed() -> None:
    told = AnswersGone("01A", EVERYTHING, 2, ["b/gateway-0"])
    assert msgspec.json.decode(msgspec.json.encode(told), type=AnswersGone) == told
