"""What a request that is no chat is held for: at the dearest of what may serve it."""

from typing import Any

from tests.gateway.rig import FREE, target
from tests.providers.media_asks import asked

from tidegate.core.plan import Target
from tidegate.core.price import ImagePrice, Price, Rate
from tidegate.core.receipt import Receipt
from tidegate.gateway.metering import demand_of_units
from tidegate.gateway.prepared_route import Dearest

EACH = Price("a", "plan", images=(ImagePrice(7),))
TOKENS = Price("b", "plan", input=Rate(1_000_000), output=Rate(1_000_000))


def held(*prices: Price | None, endpoint: Any = "images", **metered: Any) -> tuple[Any, ...]:
    small: Target = target(1, image_tokens=50)
    ask = asked(endpoint, **metered)
    assert ask.metered is not None
    priced = Dearest(small, None, prices)
    demand = demand_of_units(ask, ask.metered, Receipt("", 0.0, "", endpoint), priced)
    return demand.cost_nanousd, demand.input_tokens, demand.total_output_tokens


def test_the_dearest_of_what_may_serve_it_counts() -> None:
    assert held(EACH, images=3) == (21, 0, 0)
    assert held(EACH, TOKENS, images=3, text_bytes=9) == (159, 9, 150)
    assert held(EACH, FREE, images=3) == (21, 0, 0)


def test_without_a_price_nobody_knows() -> None:
    assert held(EACH, None, images=3)[0] is None
    assert held(Price("c", "plan", search_nanousd=5), images=3)[0] is None


def test_a_ranking_has_tokens_whatever_it_costs() -> None:
    assert held(None, endpoint="rerank", documents=2, query_bytes=3, text_bytes=20) == (
        None,
        20 + 2 * 11,
        0,
    )
