import ssl

import pytest

from tidegate.stores.redis_address import parse


def test_host_port_and_database() -> None:
    address = parse("redis://cache.example:7000/3")
    assert (address.host, address.port, address.database) == ("cache.example", 7000, 3)
    assert address.tls is None
    assert str(address) == "cache.example:7000"


def test_what_is_left_out_is_what_redis_has() -> None:
    address = parse("redis://cache")
    assert (address.port, address.database, address.user, address.password) == (6379, 0, None, None)


def test_user_and_password_are_unquoted_and_never_printed() -> None:
    address = parse("redis://gate%40a:p%2Fw%3A@cache")
    assert address.user == "gate@a"
    assert address.password is not None
    assert address.password.reveal() == "p/w:"
    assert "p/w" not in repr(address)
    assert "p/w" not in str(address)


def test_a_password_needs_no_user() -> None:
    address = parse("redis://:secret@cache")
    assert address.user is None
    assert address.password is not None


def test_rediss_checks_certificates() -> None:
    tls = parse("rediss://cache").tls
    assert tls is not None
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname


def test_a_unix_socket() -> None:
    address = parse("unix://:pw@/run/redis.sock?db=2")
    assert (address.path, address.host, address.database) == ("/run/redis.sock", None, 2)
    assert str(address) == "unix:///run/redis.sock"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://cache", "scheme"),
        ("cache:6379", "scheme"),
        ("redis://:hidden@", "needs a host"),
        ("unix://", "path of the socket"),
        ("redis://:hidden@cache:port", "not a Redis URL"),
        ("redis://:hidden@cache:99999", "not a Redis URL"),
        ("redis://:hidden@cache/one", "whole number"),
        ("redis://:hidden@cache/-1", "whole number"),
        ("redis://:hidden@[::1", "not a Redis URL"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as problem:
        parse(url)
    assert "hidden" not in str(problem.value)
