"""The key: whatever may make answers differ makes it differ."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace
from tests.gateway.rig import target

from tidegate.core.ask import OPENAI_RESPONSES, Ask
from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.plan import Contract, Release, Route, Share
from tidegate.core.receipt import Receipt
from tidegate.gateway.cache_key import DIGEST_BYTES, prepare_cache
from tidegate.gateway.canonical import Canonical

ASKED = Canonical(b'{"messages":[]}', True, True)
ASK = Ask("chat", b"{}", {"messages": Raw(b"[]")}, "small")
RECEIPT = Receipt("r", 1.0, "g", "chat", key_id="k", team="t", customer="c")
ROUTE = Route("small", Release("small-1", target(1)), cache=RouteCache(ExactCache()))


def key(
    route: Route = ROUTE,
    ask: Ask = ASK,
    receipt: Receipt = RECEIPT,
    namespace: str = "",
) -> bytes:
    ready = prepare_cache(route, {})
    assert ready is not None
    return ready.key(ask, ASKED, receipt, namespace)


def test_it_is_a_full_digest_and_the_same_each_time() -> None:
    assert key() == key()
    assert len(key()) == DIGEST_BYTES


@pytest.mark.parametrize(
    "route",
    [
        replace(ROUTE, name="other"),
        replace(ROUTE, release=Release("small-2", target(1))),
        replace(ROUTE, release=Release("small-1", target(1, model="another"))),
        replace(ROUTE, release=Release("small-1", target(1, name="elsewhere"))),
        replace(ROUTE, release=Release("small-1", target(1), 1.0, (Share(target(2, "b")),))),
        replace(ROUTE, contract=Contract(json=True)),
        replace(ROUTE, drops_unsupported=True),
        replace(ROUTE, system_prompt="Be brief."),
        replace(ROUTE, parameters=(("top_p", "0.5"),)),
        replace(ROUTE, cache=RouteCache(ExactCache(scope="key"))),
    ],
    ids=str,
)
def test_another_route_or_release_is_another_key(route: Route) -> None:
    assert key(route) != key()


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "p"},
        {"prompt_version": "2"},
        {"team": "u"},
        {"customer": None},
        {"team": "", "customer": None},
    ],
    ids=str,
)
def test_another_tenant_or_prompt_is_another_key(fields: dict[str, Any]) -> None:
    assert key(receipt=replace(RECEIPT, **fields)) != key()


def test_a_key_without_a_team_shares_with_nobody() -> None:
    alone = replace(RECEIPT, team=None, customer=None)
    assert key(receipt=alone) != key(receipt=replace(alone, key_id="l"))


def test_other_headers_that_go_along_another_namespace_or_wire_are_another_key() -> None:
    found = {
        key(),
        key(ask=replace(ASK, passed=(("anthropic-beta", "x"),))),
        key(ask=replace(ASK, dialect="anthropic_messages")),
        key(ask=replace(ASK, continuous_usage=True)),
        key(namespace="mine"),
        key(ask=replace(ASK, dialect=OPENAI_RESPONSES)),
    }
    assert len(found) == 6
    assert key(ask=replace(ASK, stream=True)) == key(), "an answer is given in either form"


def test_what_keeps_nothing_has_no_key() -> None:
    assert prepare_cache(replace(ROUTE, cache=None), {}) is None
    assert prepare_cache(replace(ROUTE, cache=RouteCache()), {}) is None


WORDS = st.text(max_size=6)
SAID = st.tuples(WORDS, WORDS | st.none(), WORDS, WORDS.map(str.encode))


@given(SAID, SAID)
def test_no_two_tenants_namespaces_and_questions_are_one(one: Any, other: Any) -> None:
    def of(said: Any) -> bytes:
        team, customer, namespace, text = said
        ready = prepare_cache(ROUTE, {})
        assert ready is not None
        receipt = replace(RECEIPT, team=team, customer=customer)
        return ready.key(ASK, Canonical(text, True, True), receipt, namespace)

    no_teams = not one[0] and not other[0]
    same = one == other or (no_teams and one[2:] == other[2:])
    assert (of(one) == of(other)) is same
