from typing import Annotated

import pytest
from msgspec import Meta
from tests.core.plans import compiled, declared

from tidegate.config.shape import Choice, Items, OneOf, Scalar, Table, shape_of
from tidegate.config.stand_in import stand_in
from tidegate.core.declared_budgets import DeclaredBudget
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.declared_targets import DeclaredTarget


def test_a_record_stands_in_with_what_it_requires_alone():
    assert stand_in(shape_of(DeclaredTarget)) == DeclaredTarget("", "")


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (Scalar("text"), ""),
        (Scalar("size", least=1024), 1024),
        (Choice(("a", "b")), "a"),
        (Items(Scalar("int")), ()),
        (Table(Scalar("name"), Scalar("int")), {}),
        (OneOf((Scalar("scope"), Items(Scalar("scope")))), "global"),
        (shape_of(Annotated[int, Meta(ge=1, extra={"read": "quantity"})]), 1),
    ],
)
def test_a_stand_in_is_of_its_shape(shape, value):
    assert stand_in(shape) == value


def test_limits_and_budgets_that_stand_in_say_nothing_more():
    limit, budget = stand_in(shape_of(DeclaredLimit)), stand_in(shape_of(DeclaredBudget))
    assert isinstance(limit, DeclaredLimit)
    [found] = compiled(declared(budgets={"b": budget})).limits
    assert found.unit == "year"
