"""Callers without a key, over real sockets: whose tokens are believed, until when, and by what."""

from pathlib import Path
from typing import Any

import pytest
from tests.gateway import signers
from tests.gateway.house import USD, house
from tests.gateway.rig import gateway, plan_of, run, target
from tests.gateway.signers import claims, issuer, sign
from tests.gateway.tokens import KEY, bearer, code, file_keys
from tests.gateway.upstream import Upstream
from tests.stores import rig

from tidegate.core import clock
from tidegate.core.caller import Revocation, id_of_caller, id_of_issuer, id_of_token
from tidegate.core.plan_callers import FromClaim, Grant, GrantLimits, Match
from tidegate.stores.errors import StoreUnavailable


def test_a_token_is_as_good_as_a_key_and_the_receipt_says_whose(tmp_path: Path) -> None:
    async def main() -> None:
        grant = Grant(
            FromClaim(None, ("groups",), (("web", "red"), ("ml", "blue"))),
            (Match(("repo",), ("acme/*",)),),
            routes=("small",),
            customer=FromClaim(None, ("org",)),
            environment=FromClaim("prod"),
            end_user=FromClaim(None, ("email",)),
            purpose="ci",
            priority="batch",
            attributes=(("branch", FromClaim(None, ("git", "ref"))),),
        )
        one = issuer(file_keys(tmp_path), grant)
        async with (
            Upstream() as up,
            gateway(tmp_path, target(up.port), target(up.port, "other"), callers=(one,)) as it,
        ):
            told = claims(
                groups=["x", "ml"], repo="acme/app", org="acme", email="a@b", git={"ref": "main"}
            )
            headers = bearer(sign(KEY, told)) | {"x-tidegate-end-user-id": "somebody else"}
            assert (await it.ask(headers=headers)).status == 200
            receipt = await it.receipt()
            assert receipt.key_id == id_of_caller(signers.ISSUER, "service-a")
            assert (receipt.team, receipt.customer, receipt.environment) == ("blue", "acme", "prod")
            assert (receipt.end_user, receipt.purpose, receipt.priority) == ("a@b", "ci", "batch")
            assert receipt.attributes == {"branch": "main"}
            assert await code(it, sign(KEY, told), body={"model": "other", "messages": []}) == (
                "403 route_not_allowed"
            )
            models = await it.ask("/v1/models", headers=headers, method="GET")
            assert [row["id"] for row in models.json["data"]] == ["small"]

    run(main())


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, None),
        ({"aud": ["x", "tidegate"]}, None),
        ({"aud": "other"}, "401 invalid_api_key"),
        ({"aud": None}, "401 invalid_api_key"),
        ({"aud": {"tidegate": 1}}, "401 invalid_api_key"),
        ({"iss": "https://issuer.example/"}, "401 invalid_api_key"),
        ({"iss": ["https://issuer.example"]}, "401 invalid_api_key"),
        ({"iss": None}, "401 invalid_api_key"),
        ({"exp": None}, "401 invalid_api_key"),
        ({"exp": True}, "401 invalid_api_key"),
        ({"exp": -20}, None),  # within the leeway
        ({"exp": -31}, "401 expired_api_key"),
        ({"exp": 86_400 + 100}, "401 invalid_api_key"),
        ({"nbf": 20}, None),
        ({"nbf": 60}, "401 invalid_api_key"),
        ({"iat": 60}, "401 invalid_api_key"),
        ({"sub": None}, "403 caller_not_allowed"),
        ({"sub": ""}, "403 caller_not_allowed"),
        ({"sub": ["a", "b"]}, "403 caller_not_allowed"),
    ],
    ids=str,
)
def test_what_a_token_must_say(tmp_path: Path, told: dict[str, Any], expected: str | None) -> None:
    async def main() -> None:
        now_s = int(clock.wall_s())
        moved = {
            name: now_s + value if name in ("exp", "nbf", "iat") and type(value) is int else value
            for name, value in told.items()
        }
        one = issuer(file_keys(tmp_path))
        async with Upstream() as up, gateway(tmp_path, target(up.port), callers=(one,)) as it:
            assert await code(it, sign(KEY, claims(**moved))) == expected
            assert len(it.receipts()) == (expected is None)  # or anybody could fill the ledger

    run(main())


@pytest.mark.parametrize(
    ("typ", "usual", "access"),
    [
        *((None, True, False), ("JWT", True, False), ("jose", True, False)),
        *(("at+jwt", True, True), ("application/AT+JWT", True, True), ("", True, False)),
        *(("dpop+jwt", False, False), ("logout+jwt", False, False), ("x", False, False)),
    ],
)
def test_what_kind_of_token_may_be_shown(
    tmp_path: Path, typ: str | None, usual: bool, access: bool
) -> None:
    async def main() -> None:
        for folder, good, types in (("a", usual, None), ("b", access, ("at+jwt",))):
            (tmp_path / folder).mkdir()
            named = {} if types is None else {"kinds": types}
            one = issuer(file_keys(tmp_path), **named)
            async with (
                Upstream() as up,
                gateway(tmp_path / folder, target(up.port), callers=(one,)) as it,
            ):
                said = await code(it, sign(KEY, claims(), typ=typ))
                assert said == (None if good else "401 invalid_api_key")

    run(main())


@pytest.mark.parametrize("cnf", [{"jkt": "x"}, {"x5t#S256": "x"}, {}, "x", False], ids=str)
@pytest.mark.parametrize("bound", [False, True])
def test_a_token_that_is_bound_to_a_key_is_no_bearer_s(
    tmp_path: Path, cnf: object, bound: bool
) -> None:
    """Whoever stole it could show it as well."""

    async def main() -> None:
        one = issuer(file_keys(tmp_path), bound=bound)
        async with Upstream() as up, gateway(tmp_path, target(up.port), callers=(one,)) as it:
            said = await code(it, sign(KEY, claims(cnf=cnf)))
            assert said == (None if bound else "401 invalid_api_key")

    run(main())


def test_grants_are_tried_in_order_and_what_none_fits_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        grants = (
            Grant(FromClaim("main"), (Match(("repo",), ("acme/app",)), Match(("ref",), ("m*",)))),
            Grant(FromClaim(None, ("org",), otherwise="rest"), (Match(("repo",), ("acme/*",)),)),
            Grant(FromClaim(None, ("org",)), (Match(("protected",), ("true",)),)),
        )
        one = issuer(file_keys(tmp_path), *grants)
        async with Upstream() as up, gateway(tmp_path, target(up.port), callers=(one,)) as it:
            table: list[tuple[dict[str, object], str | None]] = [
                ({"repo": "acme/app", "ref": "main"}, "main"),
                ({"repo": "acme/app", "ref": "x"}, "rest"),
                ({"repo": "acme/app", "org": ["a", "b"]}, "rest"),  # two words are none
                ({"repo": ["z", "acme/lib"], "org": "a"}, "a"),
                ({"repo": "acme", "protected": True, "org": "b"}, "b"),
                ({"protected": True}, None),
                ({"protected": True, "org": "a\u0000b"}, None),
                ({"protected": True, "org": "x" * 257}, None),
                ({"protected": "yes", "org": "b"}, None),
                ({"repo": {"acme/app": 1}}, None),
                ({}, None),
            ]
            served = 0
            for told, team in table:
                said = await code(it, sign(KEY, claims(**told)))
                assert said == (None if team is not None else "403 caller_not_allowed"), told
                if team is not None:
                    served += 1
                    assert (await it.receipt(served)).team == team
            assert it.world.listener.refusals["caller_not_allowed"] == len(table) - served

    run(main())


@pytest.mark.parametrize("begins", ["nbf", "iat"])
def test_a_token_ends_at_its_time_on_the_connection_that_it_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begins: str
) -> None:
    async def main() -> None:
        one = issuer(file_keys(tmp_path), leeway_s=10.0)
        async with Upstream() as up, gateway(tmp_path, target(up.port), callers=(one,)) as it:
            now_s = clock.wall_s()
            told = claims(**{"iat": None, begins: int(now_s) - 5})
            token = sign(KEY, told)
            reader, writer = await it.connect()
            request = it.request(headers=bearer(token), close=False)
            shifts = ((0, b" 200 "), (-60, b" 401 "), (605, b" 200 "), (611, b" 401 "))
            for shift_s, status in shifts:
                monkeypatch.setattr(clock, "wall_s", lambda at_s=now_s + shift_s: at_s)
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                assert status in head
                await reader.readuntil(b"}}")
            writer.transport.abort()

    run(main())


def test_a_token_that_is_known_costs_no_more_cryptography(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        one = issuer(file_keys(tmp_path))
        async with Upstream() as up, gateway(tmp_path, target(up.port), callers=(one,)) as it:
            good = sign(KEY, claims())
            bad = good[:-8] + ("AAAAAAAA" if good[-8:] != "AAAAAAAA" else "BBBBBBBB")
            tokens = it.world.keys.tokens
            assert tokens is not None
            asked: list[bytes] = []
            read = tokens.read

            async def counted(presented: bytes) -> Any:
                asked.append(presented)
                return await read(presented)

            monkeypatch.setattr(tokens, "read", counted)
            for _ in range(3):
                assert await code(it, good) is None
                assert await code(it, bad) == "401 invalid_api_key"
            assert asked == [good.encode(), bad.encode()]

    run(main())


def test_who_is_revoked_is_let_in_no_more_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        one = issuer(file_keys(tmp_path))
        async with Upstream() as up, gateway(tmp_path, target(up.port), callers=(one,)) as it:
            made_s = int(clock.wall_s()) - 100
            old = sign(KEY, claims(jti="old", iat=made_s))
            new = sign(KEY, claims(jti="new", iat=made_s + 50))
            other = sign(KEY, claims(sub="service-b", iat=None))
            own, all_ = id_of_caller(signers.ISSUER, "service-a"), id_of_issuer(signers.ISSUER)
            token = id_of_token(signers.ISSUER, "new")
            steps: list[tuple[str, float | None, list[bool]]] = [
                (token, None, [True, False, True]),
                (own, None, [False, False, True]),
                (own, made_s + 10.0, [False, True, True]),
                (all_, made_s + 10.0, [False, True, False]),  # of `other` nobody knows when
                (all_, None, [False, False, False]),
            ]
            for meant, before_s, expected in steps:
                for presented in (old, new, other):
                    assert await code(it, presented) is None
                it.store.revocations[meant] = Revocation(meant, before_s, 7.0)
                it.world.keys.forget(meant)
                got = [await code(it, presented) for presented in (old, new, other)]
                assert got == [None if good else "401 revoked_api_key" for good in expected]
                it.store.revocations.clear()
                it.world.keys.forget(meant)
            assert not it.world.keys._digests_of

    run(main())


def test_with_the_store_away_known_tokens_go_on_and_others_come_again(tmp_path: Path) -> None:
    async def main() -> None:
        one = issuer(file_keys(tmp_path))
        async with Upstream() as up, gateway(tmp_path, target(up.port), callers=(one,)) as it:
            token = sign(KEY, claims())
            assert await code(it, token) is None
            it.store.error = StoreUnavailable("gone")
            assert await code(it, token) is None
            assert await code(it, sign(KEY, claims(jti="2"))) == "503 store_unavailable"
            assert await code(it, "e30.e30.e30") == "401 invalid_api_key"  # asks no store

    run(main())


def test_a_plan_that_says_another_thing_of_an_issuer_looks_anew(tmp_path: Path) -> None:
    async def main() -> None:
        keys = file_keys(tmp_path)
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            token = sign(KEY, claims())
            assert await code(it, token) == "401 invalid_api_key"
            unmatched = Grant(FromClaim("x"), (Match(("a",), ("b",)),))
            plans: list[tuple[tuple[Any, ...], str | None]] = [
                ((issuer(keys),), None),
                ((issuer(keys, audiences=("b",)),), "401 invalid_api_key"),
                ((issuer(keys, algorithms=("RS256",)),), "401 invalid_api_key"),
                ((issuer(keys),), None),
                ((issuer(keys, unmatched),), "403 caller_not_allowed"),
                ((issuer(keys, issuer="https://other"),), "401 invalid_api_key"),
                ((), "401 invalid_api_key"),
            ]
            for version, (callers, expected) in enumerate(plans, 2):
                assert await it.obey(plan_of(target(up.port), version=version, callers=callers))
                assert await code(it, token) == expected
            assert it.world.keys.tokens is None

    run(main())


def test_each_caller_has_the_limits_of_its_grant_alone(tmp_path: Path) -> None:
    async def main() -> None:
        limits = GrantLimits(requests_per_minute=2)
        one = issuer(file_keys(tmp_path), Grant(FromClaim("t"), limits=limits))
        async with Upstream() as up, gateway(tmp_path, target(up.port), callers=(one,)) as it:
            for subject in ("a", "b"):
                codes = [  # another token is the same caller
                    await code(it, sign(KEY, claims(sub=subject, jti=str(number))))
                    for number in range(4)
                ]
                assert codes == [None, None] + ["429 rate_limit_exceeded"] * 2

    run(main())


def test_what_a_caller_has_spent_counts_after_a_restart(tmp_path: Path) -> None:
    """By the id that is the same with each of its tokens."""

    async def main() -> None:
        limits = GrantLimits(budget_nanousd=USD, budget_unit="month")
        one = issuer(file_keys(tmp_path), Grant(FromClaim("t"), limits=limits))
        async with house(tmp_path) as it:
            plan = plan_of(target(it.up.port), version=9, callers=(one,))
            assert await it.it.obey(plan)
            key_id = id_of_caller(signers.ISSUER, "service-a")
            spent = rig.receipt(clock.wall_s(), key_id=key_id, cost_nanousd=USD)
            it.ledger.write([rig.entry(spent)], [])
            assert await code(it.it, sign(KEY, claims())) == "429 insufficient_quota"
            assert await code(it.it, sign(KEY, claims(sub="service-b"))) is None

    run(main())
