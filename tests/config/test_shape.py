from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from tidegate.config.shape import Choice, Items, OneOf, Record, Scalar, Table, shape_of


class Inner(Struct, frozen=True):
    to: str


class Outer(Struct, frozen=True):
    name: Annotated[str, Meta(description="Who.", max_length=5)]
    size_bytes: Annotated[int | None, Meta(ge=1, extra={"read": "size"})] = field(
        default=None, name="size"
    )
    kind: Literal["a", "b"] = "a"
    inner: Annotated[Inner, Meta(extra={"shorthand": "to"})] | None = None
    many: dict[Annotated[str, Meta(extra={"read": "name"})], tuple[float, ...]] = {}
    either: str | Inner | None = None


def shapes():
    found = shape_of(Outer)
    assert isinstance(found, Record)
    return found.by_key


def test_a_required_key_has_its_description_and_bounds():
    key = shapes()["name"]
    assert (key.required, key.description) == (True, "Who.")
    assert key.shape == Scalar("text", max_length=5)


def test_annotations_around_an_optional_hold_for_what_is_inside():
    key = shapes()["size"]
    assert (key.name, key.shape) == ("size_bytes", Scalar("size", least=1))


def test_the_other_shapes():
    found = shapes()
    inner = replace(shape_of(Inner), shorthand="to")
    assert found["kind"].shape == Choice(("a", "b"))
    assert found["inner"].shape == inner
    assert found["many"].shape == Table(Scalar("name"), Items(Scalar("float")))
    assert found["either"].shape == OneOf((Scalar("text"), shape_of(Inner)))


def test_a_key_that_is_no_scalar_cannot_be_declared():
    with pytest.raises(TypeError, match="must be a scalar"):
        shape_of(dict[Inner, str])
