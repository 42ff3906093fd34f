import pytest

from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import Notice
from tidegate.core.ways import fits

BURN = Notice("n1", "k", "burn", "page", "t", "", 0.0, "chat")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, True),
        ({"topics": ("release", "burn")}, True),
        ({"topics": ("release",)}, False),
        ({"severities": ("page",), "routes": ("chat",)}, True),
        ({"severities": ("ticket", "info")}, False),
        ({"routes": ("other",)}, False),
        ({"topics": ("burn",), "routes": ("other",)}, False),
    ],
)
def test_a_way_is_told_what_fits_all_that_it_asks_for(
    asked: dict[str, tuple[str, ...]], told: bool
) -> None:
    assert fits(DeclaredWay("slack", **asked), BURN) is told  # type: ignore[arg-type]


def test_what_is_of_no_route_goes_no_way_that_is_of_one() -> None:
    everywhere = Notice("n1", "k", "loop", "page", "t", "", 0.0)
    assert fits(DeclaredWay("slack"), everywhere)
    assert not fits(DeclaredWay("slack", routes=("chat",)), everywhere)
