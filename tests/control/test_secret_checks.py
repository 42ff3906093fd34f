"""Control starts beyond loopback with good secrets alone, and on a shared database with its own."""

import logging

import pytest
from sqlalchemy import Engine

from tidegate.control import secret_checks
from tidegate.control.secret_checks import SecretsRefused
from tidegate.core.layout import Layout
from tidegate.stores import database, fingerprints


@pytest.mark.parametrize("hosts", [("0.0.0.0",), ("127.0.0.1", "192.0.2.1"), ("::",)])
def test_weak_secrets_are_refused_where_anyone_may_come(
    layout: Layout, hosts: tuple[str, ...]
) -> None:
    secret_checks.refuse_weak(layout, hosts)
    layout.operator_token.write_text("changeme\n")
    with pytest.raises(SecretsRefused) as refused:
        secret_checks.refuse_weak(layout, hosts)
    assert "a placeholder" in refused.value.sentences[0]


def test_on_loopback_they_are_warned_of(layout: Layout, caplog: pytest.LogCaptureFixture) -> None:
    layout.operator_token.write_text("changeme\n")
    with caplog.at_level(logging.WARNING):
        secret_checks.refuse_weak(layout, ("127.0.0.1", "::1", "localhost"))
    assert "a placeholder" in caplog.text


def test_a_database_of_one_machine_has_its_peppers(layout: Layout, engine: Engine) -> None:
    secret_checks.refuse_other_peppers(layout, engine)


def test_the_peppers_of_a_shared_database_are_those_of_its_keys(
    layout: Layout, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "is_shared", lambda on: True)
    monkeypatch.setattr(fingerprints, "differing", lambda on, peppers: [1])
    with pytest.raises(SecretsRefused, match="copy it from a machine that shares the database"):
        secret_checks.refuse_other_peppers(layout, engine)
