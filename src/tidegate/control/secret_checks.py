"""Whether control may start with the secrets that it has."""

import logging

from sqlalchemy import Engine

from tidegate.control.credentials import weaknesses
from tidegate.core.address import is_loopback
from tidegate.core.layout import Layout
from tidegate.stores import database, fingerprints
from tidegate.stores.peppers import pepper_file, read_peppers

_log = logging.getLogger(__name__)


class SecretsRefused(Exception):
    """Secrets that anyone could guess or read, or others than the database's. `sentences` say
    which and what to do."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


def refuse_weak(layout: Layout, hosts: tuple[str, ...]) -> None:
    """SecretsRefused for weak ones where one of the hosts that are listened on is not loopback."""
    found = weaknesses(layout)
    if found and not all(is_loopback(host) for host in hosts):
        raise SecretsRefused(found)
    for sentence in found:
        _log.warning("%s", sentence)


def refuse_other_peppers(layout: Layout, engine: Engine) -> None:
    """SecretsRefused for peppers that are not those of a database that machines share."""
    if not database.is_shared(engine):
        return
    others = fingerprints.differing(engine, read_peppers(layout.state))
    if others:
        raise SecretsRefused(
            [
                f"{pepper_file(layout.state, version)} is not the one that this database's keys "
                "are made under: copy it from a machine that shares the database"
                for version in others
            ]
        )
