from tidegate.config.shape import shape_of
from tidegate.core.declared_keys import EVERY_ROUTE, DeclaredKeys


def test_a_key_of_which_nothing_is_said_may_call_every_route_and_does_not_expire():
    keys = DeclaredKeys()
    assert keys.routes == (EVERY_ROUTE,)
    assert keys.expires_after_s is None


def test_the_unit_of_a_life_is_in_its_value_and_not_in_its_key():
    assert shape_of(DeclaredKeys).by_key["expires_after"].name == "expires_after_s"
