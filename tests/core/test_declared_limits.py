from msgspec.structs import fields

from tidegate.config.shape import shape_of
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.plan import Limit


def test_a_limit_is_declared_in_the_plan_s_own_fields():
    assert {f.name for f in fields(DeclaredLimit)} < {f.name for f in fields(Limit)}


def test_what_only_some_kinds_read_shows_whether_it_is_written():
    limit = DeclaredLimit("requests", 1)
    chosen = (limit.per_s, limit.burst, limit.count, limit.cached_weight, limit.on_excess)
    assert set(chosen) == {None}


def test_the_unit_of_a_window_is_in_its_value_and_not_in_its_key():
    assert shape_of(DeclaredLimit).by_key["per"].name == "per_s"
