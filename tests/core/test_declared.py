from collections.abc import Iterator

from tidegate.config.scalars import EXPECTED
from tidegate.config.shape import Items, OneOf, Record, Scalar, Shape, Table, shape_of
from tidegate.core.declared import Declared


def below(shape: Shape) -> Iterator[Shape]:
    """`shape` and every shape in it."""
    yield shape
    match shape:
        case Record():
            inner = [key.shape for key in shape.keys]
        case Table():
            inner = [shape.key, shape.value]
        case Items():
            inner = [shape.item]
        case OneOf():
            inner = list(shape.options)
        case _:
            inner = []
    for one in inner:
        yield from below(one)


def test_every_key_says_what_it_is():
    for shape in below(shape_of(Declared)):
        if isinstance(shape, Record):
            assert shape.cls.__doc__
            assert all(key.description.endswith(".") for key in shape.keys), shape.cls


def test_every_scalar_has_a_reading():
    scalars = [shape for shape in below(shape_of(Declared)) if isinstance(shape, Scalar)]
    assert {scalar.read for scalar in scalars} <= set(EXPECTED)


def test_a_section_is_declared_in_the_file_of_its_name():
    root = shape_of(Declared)
    assert isinstance(root, Record)
    for key in root.keys:
        section = key.shape.value if isinstance(key.shape, Table) else key.shape
        if isinstance(section, Record):
            assert section.cls.__module__ == f"tidegate.core.declared_{key.key}"
