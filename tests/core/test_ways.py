import pytest
from msgspec.structs import replace

from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import Message, Notice
from tidegate.core.ways import Posted, fits, only_edits

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


@pytest.mark.parametrize(
    ("severity", "ends", "edits"),
    [("page", None, False), ("ticket", None, False), ("info", None, True), ("page", "m0", True)],
)
def test_a_change_is_enough_for_an_end_and_for_what_nobody_has_to_look_at(
    severity: str, ends: str | None, edits: bool
) -> None:
    one = Message("m1", "x", 0.0, (replace(BURN, severity=severity),), ends)
    assert only_edits(one, Posted("C1", "1.5")) is edits
    assert not only_edits(one, None)
