"""The simulated engine's own page is read whole."""

from tests.engines.saved import reader

from tidegate.capacity.engine import Engine
from tidegate.capacity.profiles import PROFILES
from tidegate.core.engine_signals import ENGINE_SIGNALS, Found
from tidegate.sim import metrics


def test_its_page_has_every_signal() -> None:
    page = metrics.render(Engine(next(iter(PROFILES.values()))), "m")
    signals = reader("sim").read(page).signals
    assert {name for name, one in signals.items() if isinstance(one, Found)} == set(ENGINE_SIGNALS)
