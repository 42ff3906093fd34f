"""Addresses of databases: no password in them, and the password where they are used."""

import pytest

from tidegate.core.database_ref import CountersRef, DatabaseRef, read_address, resolve

ENVIRON = {"PASSWORD": "p@ss/w:rd", "WHOLE": "postgres://ann@db/tidegate", "NONSENSE": "mysql://x"}


def never(_file: str) -> str:
    raise AssertionError


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://db/tidegate",
        "postgres://ann@db:5433/tidegate?sslmode=verify-full",
        "postgresql://ann:${PASSWORD}@one,two/tidegate",
        "postgresql:///tidegate?host=/run/postgresql",
    ],
)
def test_an_address_without_a_password_is_shown_as_it_is_written(text: str) -> None:
    assert str(read_address(text, DatabaseRef)) == text


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ann:hush-hush@db/tidegate",
        "postgresql://ann:${A}hush-hush@db/tidegate",
        "postgresql://db/tidegate?user=ann&password=hush-hush",
        "mysql://hush-hush@db/tidegate",
        "hush-hush",
        "postgresql:hush-hush",
        "postgresql://[hush-hush",
    ],
)
def test_what_is_no_address_or_holds_a_password_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"password does not stand|expected an address") as caught:
        read_address(text, DatabaseRef)
    assert "hush" not in str(caught.value)


def test_a_password_is_filled_in_so_that_it_stays_one() -> None:
    ref = read_address("postgresql://ann:${PASSWORD}@db/tidegate", DatabaseRef)
    found = resolve(ref, ENVIRON, never).reveal()
    assert found == "postgresql://ann:p%40ss%2Fw%3Ard@db/tidegate"


def test_the_whole_address_may_lie_in_a_variable_or_a_file() -> None:
    assert resolve(DatabaseRef(env="WHOLE"), ENVIRON, never).reveal() == ENVIRON["WHOLE"]
    files = {"/run/secret": "postgresql://db/tidegate\n"}
    found = resolve(DatabaseRef(file="/run/secret"), {}, files.__getitem__)
    assert found.reveal() == "postgresql://db/tidegate"


@pytest.mark.parametrize(
    ("ref", "complaint"),
    [
        (DatabaseRef(env="MISSING"), "variable MISSING is not set"),
        (
            read_address("postgresql://a:${MISSING}@db/x", DatabaseRef),
            "variable MISSING is not set",
        ),
        (DatabaseRef(env="NONSENSE"), r"\$NONSENSE: expected an address"),
    ],
)
def test_what_cannot_be_resolved_says_which_and_never_holds_it(
    ref: DatabaseRef, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        resolve(ref, ENVIRON, never)
    assert "mysql" not in str(caught.value)


def test_counters_are_in_redis_and_nowhere_else() -> None:
    for text in ("redis://host:6379/0", "rediss://:${PASSWORD}@host", "unix:///run/redis.sock"):
        assert str(read_address(text, CountersRef)) == text
    ref = read_address("redis://:${PASSWORD}@host", CountersRef)
    assert resolve(ref, ENVIRON, never).reveal() == "redis://:p%40ss%2Fw%3Ard@host"
    with pytest.raises(ValueError, match="such as redis://"):
        read_address("postgres://host/db", CountersRef)
    with pytest.raises(ValueError, match="password does not stand"):
        read_address("redis://:hush@host", CountersRef)
