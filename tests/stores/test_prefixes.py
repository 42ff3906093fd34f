"""What prefix caches had in a window of the ledger."""

from typing import Any

from sqlalchemy import Engine
from tests.stores import rig

from tidegate.core.receipt import Receipt
from tidegate.stores.ledger import Ledger
from tidegate.stores.prefixes import prefix_sums, requests_by_prefix
from tidegate.stores.receipts import Filter

KEY = ("chat", "7", "m")


def made(**fields: Any) -> Receipt:
    usual = {"route": "chat", "prompt_version": "7", "model_served": "m", "input_tokens": 10}
    return rig.receipt(**{**usual, **fields})


def store(engine: Engine, *several: Receipt) -> None:
    Ledger(engine).write(rig.entries(*several), [])


def test_what_is_known_is_added_and_what_is_not_is_counted(engine: Engine) -> None:
    store(
        engine,
        made(cache_read_tokens=90, prefix_saved_nanousd=700),
        made(cache_write_tokens=40, prefix_saved_nanousd=-1000),
        made(cache_read_tokens=5),
        made(cache_read_tokens=0),
        made(),
        made(input_tokens=None, output_tokens=None),
        made(attempts=[]),
        made(endpoint="embeddings"),
        made(prompt_version=None, model_served=None, model_wanted="w"),
    )
    [first, second], whole = prefix_sums(engine, Filter())
    assert whole and (first.route, first.prompt_version, first.model) == KEY
    assert (first.requests, first.untold, first.usage_unknown) == (5, 1, 1)
    assert (first.input_tokens, first.told_tokens) == (185, 175)
    assert (first.read_tokens, first.written_tokens) == (95, 40)
    assert (first.saved_nanousd, first.saved_unknown) == (-300, 1)
    assert (second.prompt_version, second.model, second.untold) == ("", "w", 1)
    assert second.cached_share is second.least_cached_share is None


def test_a_window_of_a_route_and_how_much_traffic_it_had(engine: Engine) -> None:
    old = made(started_at_s=rig.NOON_S - 900, id=rig.id_at(rig.NOON_S - 900))
    store(engine, made(), made(), made(route="talk"), old)
    which = Filter(rig.NOON_S - 60, route="chat")
    [[only], whole] = prefix_sums(engine, which)
    assert whole and only.requests == 2
    assert requests_by_prefix(engine, which) == {KEY: 2}
    sums, whole = prefix_sums(engine, Filter(), scan_rows=1)
    assert not whole and sum(it.requests for it in sums) == 1
    assert prefix_sums(engine, Filter(route="other")) == ([], True)
