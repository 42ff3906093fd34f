"""Copies of a migrated database, lent to one test after another.

Making a copy takes a third of a second of a processor, and half a thousand tests ask for one. So
what comes back is made as it was: whoever is still connected is ended, tables that were written are
emptied and get the rows that they began with, and what counts them begins anew. A database whose
tables or settings are not what they were is thrown away.
"""

import psycopg
from psycopg import sql
from tests.postgres import Server

from tidegate.core.secret import Secret

Link = psycopg.Connection[tuple[object, ...]]

_END_THE_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# All of the catalogue that somebody may have changed.
_SHAPE = """
SELECT md5(string_agg(told, E'\\n' ORDER BY told)) FROM (
    SELECT format('class %s', (c.oid, relname, relkind, relacl, reloptions, relnamespace)) AS told
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    UNION ALL SELECT format('column %s', (
        attrelid, attname, atttypid, attnotnull, attcollation, attisdropped, atthasdef, attacl))
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    JOIN pg_namespace n ON n.oid = relnamespace
    WHERE attnum > 0 AND nspname !~ '^pg_' AND nspname <> 'information_schema'
    UNION ALL SELECT format('default %s', (adrelid, adnum, adbin)) FROM pg_attrdef
    UNION ALL SELECT format('constraint %s', (oid, conname)) FROM pg_constraint
    UNION ALL SELECT format('trigger %s', (oid, tgname, tgenabled)) FROM pg_trigger
    UNION ALL SELECT format('function %s', oid) FROM pg_proc
    WHERE pronamespace <> 'pg_catalog'::regnamespace
    UNION ALL SELECT format('namespace %s', (oid, nspacl)) FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL SELECT format('extension %s', oid) FROM pg_extension
    UNION ALL SELECT format('setting %s', (setdatabase, setrole, setconfig)) FROM pg_db_role_setting
) AS all_of_it
"""
# A table that nobody has written to since it was made or emptied has no page.
_WRITTEN = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
ORDER BY relname
"""


class Copies:
    """Of the database `template` of a server."""

    def __init__(self, server: Server, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[Secret] = []
        self._shape: dict[str, object] = {}
        self._rows: dict[str, bytes] = {}
        with _link(server.url(template)) as link:
            for name in _written(link):
                self._rows[name] = _read(link, name)

    def lend(self) -> Secret:
        """The address of one that is as the template is."""
        if self._free:
            return self._free.pop()
        url = self._server.database(self._template)
        with _link(url) as link:
            self._shape[url.reveal()] = _shape(link)
        return url

    def take_back(self, url: Secret) -> None:
        with _link(url) as link:
            link.execute(_END_THE_OTHERS)
            sound = _shape(link) == self._shape[url.reveal()]
            if sound:
                self._empty(link)
        if sound:
            self._free.append(url)
        else:
            self._server.drop(url)

    def _empty(self, link: Link) -> None:
        names = [sql.Identifier(name) for name in _written(link)]
        if not names:
            return
        with link.transaction():
            emptying = sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE")
            link.execute(emptying.format(sql.SQL(", ").join(names)))
            for name, rows in self._rows.items():
                _write(link, name, rows)


def _link(url: Secret) -> Link:
    return psycopg.connect(url.reveal(), autocommit=True, connect_timeout=5)


def _shape(link: Link) -> object:
    found = link.execute(_SHAPE).fetchone()
    assert found is not None
    return found[0]


def _written(link: Link) -> list[str]:
    return [str(name) for (name,) in link.execute(_WRITTEN).fetchall()]


def _read(link: Link, name: str) -> bytes:
    with link.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))) as rows:
        return b"".join(bytes(part) for part in rows)


def _write(link: Link, name: str, rows: bytes) -> None:
    with link.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as into:
        into.write(rows)
