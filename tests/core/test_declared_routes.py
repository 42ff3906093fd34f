from tidegate.config.shape import OneOf, Record, Table, shape_of
from tidegate.core.declared import Declared
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget


def test_a_text_stands_for_a_route_s_target():
    routes = shape_of(Declared).by_key["routes"].shape
    assert isinstance(routes, Table)
    assert isinstance(routes.value, Record)
    assert (routes.value.cls, routes.value.shorthand) == (DeclaredRoute, "target")


def test_a_route_s_target_is_named_or_written_out():
    target = shape_of(DeclaredRoute).by_key["target"].shape
    assert isinstance(target, OneOf)
    assert [getattr(option, "cls", str) for option in target.options] == [str, DeclaredTarget]
