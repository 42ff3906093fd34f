from typing import Annotated

from msgspec import Meta

from tidegate.config.shape import Scalar, shape_of
from tidegate.core.declared_scalars import MAX_SECONDS, Seconds, Size


def test_a_kind_brings_its_reading_and_its_bounds():
    assert shape_of(Seconds) == Scalar("duration", above=0, most=MAX_SECONDS)


def test_a_key_may_draw_a_bound_closer_and_keeps_the_rest():
    near = shape_of(Annotated[Size, Meta(le=4096)])
    assert near == Scalar("size", least=1024, most=4096)
