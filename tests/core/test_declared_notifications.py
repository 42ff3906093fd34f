from tidegate.core.declared_control import DeclaredControl
from tidegate.core.declared_notifications import DeclaredWay


def test_nobody_is_told_of_anything_where_nothing_is_said() -> None:
    assert DeclaredControl().notifications.ways == {}


def test_a_way_is_told_everything_unless_it_asks_for_less() -> None:
    way = DeclaredWay("slack")
    assert (way.topics, way.severities, way.routes) == ((), (), ())
    assert not way.private
