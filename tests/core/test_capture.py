"""Which requests of a route are kept, and that a record comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.arm import bucket
from tidegate.core.capture import Capture, Captured, decode_captured, encode_captured
from tidegate.core.clock import IdSource
from tidegate.core.receipt import Receipt

SECONDS = st.floats(0, 2e9)


def receipt(purpose: str = "production", key: str | None = "k", **fields: object) -> Receipt:
    made = Receipt(IdSource().new(), 1.0, "g", "chat", key_id=key, purpose=purpose)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_the_share_is_kept_and_the_same_each_time() -> None:
    ids = IdSource()
    every = [receipt() for _ in range(2000)]
    for it in every:
        it.id = ids.new()
    tenth = Capture(0.1)
    drawn = [it for it in every if tenth.wants(it)]
    assert 130 < len(drawn) < 270
    assert all(tenth.wants(it) and Capture(0.2).wants(it) for it in drawn)
    assert all(Capture(1.0).wants(it) for it in every)


def test_of_a_conversation_all_or_nothing_is_kept_and_of_all_the_share() -> None:
    tenth, places = Capture(0.1), [bucket("any", str(n)) for n in range(2000)]
    drawn = [place for place in places if tenth.wants(receipt(), place)]
    assert 130 < len(drawn) < 270
    for place in drawn[:20]:
        assert all(tenth.wants(receipt(), place) for _ in range(20))
        assert Capture(0.2).wants(receipt(), place)
    assert not any(tenth.wants(receipt("eval"), place) for place in drawn)
    assert Capture(1.0).wants(receipt(), (1 << 64) - 1)
    assert not Capture(0.0).wants(receipt(), 0)


@pytest.mark.parametrize(
    ("made", "also", "wanted"),
    [
        (receipt(), (), True),
        (receipt("staging"), (), True),
        (receipt("eval"), (), False),
        (receipt("evaluation"), ("eval",), True),
        (receipt("eval"), ("shadow",), False),
        (receipt("shadow", None, shadow_of="x"), (), False),
        (receipt("shadow", None, shadow_of="x"), ("shadow",), True),
        (receipt(cache="refresh"), ("eval", "shadow"), False),
        (receipt(cache="miss"), (), True),
        (receipt("probe", None), ("eval", "shadow"), False),
    ],
)
def test_only_production_is_kept_unless_more_is_asked_for(
    made: Receipt, also: tuple[str, ...], wanted: bool
) -> None:
    assert Capture(1.0, also=also).wants(made) is wanted  # type: ignore[arg-type]


@given(st.builds(Captured, at_s=SECONDS, until_s=SECONDS))
def test_a_record_comes_back_as_it_was(made: Captured) -> None:
    assert decode_captured(encode_captured(made)) == made


def test_a_canarys_requests_may_be_kept_more_often_than_the_rest() -> None:
    capture = Capture(1e-9, canary_share=1.0)
    assert capture.wants(receipt(arm="canary"))
    assert not any(capture.wants(receipt(arm=arm)) for arm in (None, "stable"))
    assert not Capture(1.0, canary_share=1e-9).wants(receipt(arm="canary"))
