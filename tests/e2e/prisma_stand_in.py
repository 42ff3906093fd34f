"""Stands in for the client that Prisma generates, in a LiteLLM proxy's own environment.

Prisma's client is a program of its own that is fetched from an address of Prisma's, which is not
reached here. LiteLLM's schema and migrations, its PostgreSQL and all of its code are the real ones;
this alone says the client's few verbs in SQL. It is copied there as the package `prisma`.
"""

import asyncio
import importlib.metadata
import json
import os
import re
import sys
import types
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict

REAL = Path(str(importlib.metadata.distribution("prisma").locate_file("prisma")))
SCHEMA = Path(
    str(importlib.metadata.distribution("litellm-proxy-extras").locate_file("litellm_proxy_extras"))
)
_SCALARS = {"String", "Int", "BigInt", "Float", "Boolean", "DateTime", "Json", "Bytes"}
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "equals": "=", "not": "<>"}


class Json:
    def __init__(self, data: Any) -> None:
        self.data = data

    @classmethod
    def keys(cls, **data: Any) -> "Json":
        return cls(data)


class Row(BaseModel):
    """A row, and the relations that were asked for."""

    model_config = ConfigDict(extra="allow")

    def __getattr__(self, name: str) -> Any:
        if name in RELATIONS and name not in (self.__pydantic_extra__ or {}):
            return None  # it was not asked for
        return super().__getattr__(name)  # type: ignore[misc]


class Field:
    def __init__(self, name: str, line: str) -> None:
        kind = line.split()[1]
        self.name, self.many = name, kind.endswith("[]")
        self.kind = kind.rstrip("?[]")
        relation = re.search(r"fields: \[(.*?)\], references: \[(.*?)\]", line)
        self.here = [it.strip() for it in relation[1].split(",")] if relation else []
        self.there = [it.strip() for it in relation[2].split(",")] if relation else []
        self.drawn = "@default(uuid())" in line
        self.now = "@default(now())" in line or "@updatedAt" in line
        self.touched = "@updatedAt" in line
        self.first = "@id" in line
        mapped = re.search(r'@map\("(.*?)"\)', line)
        self.column = mapped[1] if mapped else name


class Model:
    def __init__(self, name: str, body: str) -> None:
        self.name = name
        self.fields: dict[str, Field] = {}
        for line in map(str.strip, body.splitlines()):
            if line and line[0].isalpha() and len(line.split()) > 1:
                self.fields[line.split()[0]] = Field(line.split()[0], line)
        mapped = re.search(r'@@map\("(.*?)"\)', body)
        self.table = mapped[1] if mapped else name
        key = re.search(r"@@id\(\[(.*?)\]", body)
        own = [it.name for it in self.fields.values() if it.first]
        self.key = [it.strip() for it in key[1].split(",")] if key else own

    def scalars(self) -> dict[str, Field]:
        return {k: v for k, v in self.fields.items() if v.kind in _SCALARS}


def _models() -> dict[str, Model]:
    text = (SCHEMA / "schema.prisma").read_text()
    text = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    found = re.findall(r"^model (\w+) \{(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    return {name.lower(): Model(name, body) for name, body in found}


MODELS = _models()
RELATIONS = {
    name for it in MODELS.values() for name, of in it.fields.items() if of.kind not in _SCALARS
}


class Link:
    """One connection, one statement at a time."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.connection: psycopg.Connection[dict[str, Any]] | None = None

    def open(self) -> psycopg.Connection[dict[str, Any]]:
        if self.connection is None or self.connection.closed:
            url = os.environ["DATABASE_URL"].partition("?")[0]
            self.connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)
        return self.connection

    async def ask(self, statement: Any, values: list[Any]) -> tuple[list[dict[str, Any]], int]:
        def work() -> tuple[list[dict[str, Any]], int]:
            done = self.open().execute(statement, values)
            return (done.fetchall() if done.description else []), done.rowcount

        async with self.lock:
            return await asyncio.to_thread(work)


class Table:
    def __init__(self, link: Link, model: Model) -> None:
        self._link = link
        self._model = model

    async def find_many(
        self,
        take: int | None = None,
        skip: int | None = None,
        where: Any = None,
        include: Any = None,
        order: Any = None,
        **_: Any,
    ) -> list[Row]:
        told, values = self._where(where or {})
        query = sql.SQL("SELECT * FROM {} WHERE {}").format(self._name(), told)
        for one in [order] if isinstance(order, dict) else order or []:
            for name, way in one.items():
                what = sql.Identifier(self._model.fields[name].column)
                direction = sql.SQL("DESC" if str(way).lower() == "desc" else "ASC")
                query += sql.SQL(" ORDER BY {} {}").format(what, direction)
        if take is not None:
            query += sql.SQL(" LIMIT {}").format(sql.Literal(take))
        if skip:
            query += sql.SQL(" OFFSET {}").format(sql.Literal(skip))
        rows, _count = await self._link.ask(query, values)
        return [await self._row(it, include) for it in rows]

    async def find_first(self, **given: Any) -> Row | None:
        found = await self.find_many(take=1, **given)
        return found[0] if found else None

    async def find_unique(self, where: Any, include: Any = None, **_: Any) -> Row | None:
        return await self.find_first(where=where, include=include)

    find_unique_or_raise = find_unique

    async def count(self, where: Any = None, **_: Any) -> int:
        return len(await self.find_many(where=where))

    async def group_by(self, *_: Any, **__: Any) -> list[Any]:
        return []

    async def create(self, data: Any, include: Any = None, **_: Any) -> Row:
        return await self._insert(data, include, sql.SQL(""))

    async def create_many(self, data: Any, skip_duplicates: bool = False, **_: Any) -> int:
        for one in data:
            ending = sql.SQL(" ON CONFLICT DO NOTHING" if skip_duplicates else "")
            await self._insert(one, None, ending)
        return len(data)

    async def update(self, data: Any, where: Any, include: Any = None, **_: Any) -> Row | None:
        await self.update_many(data=data, where=where)
        return await self.find_first(where=where, include=include)

    async def update_many(self, data: Any, where: Any, **_: Any) -> int:
        told, of = self._where(where)
        sets, values = [], []
        for field in self._model.scalars().values():
            if field.touched and field.name not in data:
                data = {**data, field.name: datetime.now(UTC)}
        for name, value in data.items():
            field = self._model.fields.get(name)
            if field is None or field.kind not in _SCALARS:
                continue
            column = sql.Identifier(field.column)
            if isinstance(value, dict) and set(value) == {"increment"}:
                sets.append(sql.SQL("{} = coalesce({}, 0) + %s").format(column, column))
                values.append(value["increment"])
            else:
                sets.append(sql.SQL("{} = %s").format(column))
                values.append(self._value(field, value))
        if not sets:
            return 0
        query = sql.SQL("UPDATE {} SET {} WHERE {}")
        query = query.format(self._name(), sql.SQL(", ").join(sets), told)
        return (await self._link.ask(query, [*values, *of]))[1]

    async def upsert(self, where: Any, data: Any, include: Any = None, **_: Any) -> Row | None:
        if await self.find_first(where=where) is None:
            return await self.create(data["create"], include)
        return await self.update(data["update"], where, include)

    async def delete(self, where: Any, **_: Any) -> Row | None:
        found = await self.find_first(where=where)
        await self.delete_many(where=where)
        return found

    async def delete_many(self, where: Any = None, **_: Any) -> int:
        told, values = self._where(where or {})
        query = sql.SQL("DELETE FROM {} WHERE {}").format(self._name(), told)
        return (await self._link.ask(query, values))[1]

    async def _insert(self, data: Any, include: Any, ending: sql.SQL) -> Row:
        known = self._model.scalars()
        given = {k: v for k, v in data.items() if k in known}
        for name, relation in self._model.fields.items():
            linked = data.get(name)
            if relation.here and isinstance(linked, dict) and "connect" in linked:
                given |= dict(zip(relation.here, linked["connect"].values(), strict=True))
        for field in known.values():
            if given.get(field.name) is None and field.drawn:
                given[field.name] = str(uuid.uuid4())
            elif given.get(field.name) is None and field.now:
                given[field.name] = datetime.now(UTC)
        columns = sql.SQL(", ").join(sql.Identifier(known[k].column) for k in given)
        places = sql.SQL(", ").join(sql.SQL("%s") for _ in given)
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(self._name(), columns, places)
        values = [self._value(known[k], v) for k, v in given.items()]
        rows, _ = await self._link.ask(query + ending + sql.SQL(" RETURNING *"), values)
        return await self._row(rows[0], include) if rows else Row()

    def _name(self) -> sql.Identifier:
        return sql.Identifier(self._model.table)

    def _value(self, field: Field, value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"set"}:
            value = value["set"]
        if field.kind == "Json" and value is not None:
            plain = value.data if isinstance(value, Json) else value
            return plain if isinstance(plain, str) else json.dumps(plain, default=str)
        if field.kind == "DateTime" and isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, datetime) and value.tzinfo:
            return value.astimezone(UTC).replace(tzinfo=None)
        return list(value) if field.many and value is not None else value

    def _where(self, where: Any) -> tuple[sql.Composable, list[Any]]:
        parts: list[sql.Composable] = []
        values: list[Any] = []
        for name, asked in where.items():
            if name in ("AND", "OR", "NOT"):
                several = [
                    self._where(it) for it in (asked if isinstance(asked, list) else [asked])
                ]
                joined = sql.SQL(" OR " if name == "OR" else " AND ").join(it for it, _ in several)
                shape = "NOT ({})" if name == "NOT" else "({})"
                parts.append(sql.SQL(shape).format(joined))
                values += [it for _, of in several for it in of]
                continue
            field = self._model.fields.get(name)
            if field is None:  # a key of several columns
                told, of = self._where(asked)
            else:
                told, of = self._compared(field, asked)
            parts.append(told)
            values += of
        return (sql.SQL(" AND ").join(parts) if parts else sql.SQL("true")), values

    def _compared(self, field: Field, asked: Any) -> tuple[sql.Composable, list[Any]]:
        column = sql.Identifier(field.column)
        if not isinstance(asked, dict):
            if asked is None:
                return sql.SQL("{} IS NULL").format(column), []
            return sql.SQL("{} = %s").format(column), [self._value(field, asked)]
        parts, values = [], []
        if "path" in asked:
            parts.append(sql.SQL("{} #>> %s = %s").format(column))
            return parts[0], [list(asked["path"]), str(asked.get("equals"))]
        for verb, value in asked.items():
            if verb == "mode":
                continue
            if verb in ("in", "notIn", "not_in"):
                shape = "{} = ANY(%s)" if verb == "in" else "NOT {} = ANY(%s)"
                parts.append(sql.SQL(shape).format(column))
                values.append([self._value(field, it) for it in value])
            elif value is None:
                shape = "{} IS NOT NULL" if verb == "not" else "{} IS NULL"
                parts.append(sql.SQL(shape).format(column))
            elif verb in _COMPARE:
                parts.append(sql.SQL("{} " + _COMPARE[verb] + " %s").format(column))
                values.append(self._value(field, value))
            elif verb in ("has", "hasSome", "has_some"):
                parts.append(sql.SQL("{} && %s").format(column))
                values.append(value if isinstance(value, list) else [value])
            else:
                start, end = ("" if verb == "startswith" else "%"), "%"
                parts.append(sql.SQL("{} LIKE %s").format(column))
                values.append(f"{start}{value}{end}")
        return sql.SQL(" AND ").join(parts), values

    async def _row(self, row: dict[str, Any], include: Any) -> Row:
        named = {k: row.get(f.column) for k, f in self._model.scalars().items()}
        for name, asked in (include or {}).items():
            relation = self._model.fields.get(name)
            if relation is None or not asked:
                continue
            named[name] = await self._related(named, relation)
        return Row(
            **{k: v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for k, v in named.items()}
        )

    async def _related(self, named: dict[str, Any], relation: Field) -> Any:
        other = MODELS[relation.kind.lower()]
        if relation.here:
            pairs = zip(relation.there, relation.here, strict=True)
            where = {there: named[here] for there, here in pairs}
            if None in where.values():
                return None
            return await Table(self._link, other).find_first(where=where)
        back = next(it for it in other.fields.values() if it.here and it.kind == self._model.name)
        pairs = zip(back.here, back.there, strict=True)
        found = Table(self._link, other)
        where = {here: named[there] for here, there in pairs}
        return await found.find_many(where=where) if relation.many else None


class Batch:
    """Statements that are made at the end, one after another."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._made: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        if name not in MODELS:
            raise AttributeError(name)
        table, made = Table(self._link, MODELS[name]), self._made

        class Later:
            def __getattr__(self, verb: str) -> Any:
                return lambda *a, **k: made.append(lambda: getattr(table, verb)(*a, **k))

        return Later()

    def execute_raw(self, statement: str, *values: Any) -> None:
        self._made.append(lambda: raw(self._link, statement, values))

    async def commit(self) -> None:
        made, self._made = self._made, []
        for one in made:
            await one()

    async def __aenter__(self) -> "Batch":
        return self

    async def __aexit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            await self.commit()


async def raw(link: Link, statement: str, values: Any) -> tuple[list[dict[str, Any]], int]:
    order: list[Any] = []

    def place(match: "re.Match[str]") -> str:
        order.append(values[int(match[1]) - 1])
        return "%s"

    text = re.sub(r"\$(\d+)", place, statement.replace("%", "%%"))
    plain = [_plain(it) for it in order]
    return await link.ask(text if order else statement, plain)


def _plain(value: Any) -> Any:
    """As the driver takes it: a list for an array, JSON as text, moments of UTC without a zone."""
    if isinstance(value, Json):
        value = value.data
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    if isinstance(value, dict):
        return json.dumps(value, default=str)
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


class Prisma:
    def __init__(self, **_: Any) -> None:
        self._link = Link()
        self._engine = self._Prisma__engine = types.SimpleNamespace(process=None)

    def __getattr__(self, name: str) -> Any:
        if name not in MODELS:
            raise AttributeError(name)
        return Table(self._link, MODELS[name])

    async def connect(self, *_: Any, **__: Any) -> None:
        await asyncio.to_thread(self._link.open)

    async def disconnect(self, *_: Any, **__: Any) -> None:
        if self._link.connection is not None:
            self._link.connection.close()

    def is_connected(self) -> bool:
        return self._link.connection is not None and not self._link.connection.closed

    async def query_raw(self, query: str, *values: Any, **_: Any) -> list[dict[str, Any]]:
        return (await raw(self._link, query, values))[0]

    async def query_first(self, query: str, *values: Any, **_: Any) -> Any:
        rows = await self.query_raw(query, *values)
        return rows[0] if rows else None

    async def execute_raw(self, query: str, *values: Any) -> int:
        return (await raw(self._link, query, values))[1]

    def batch_(self) -> Batch:
        return Batch(self._link)

    def tx(self, **_: Any) -> "Prisma":
        return self

    async def __aenter__(self) -> "Prisma":
        return self

    async def __aexit__(self, *_: Any) -> None:
        return None


def _module(name: str, **members: Any) -> None:
    module = types.ModuleType(f"prisma.{name}")
    vars(module).update(members)
    module.__getattr__ = lambda _: Row  # type: ignore[method-assign]
    sys.modules[module.__name__] = module


Client = Prisma
__path__ = [str(REAL)]  # its errors are its own
_module("models")
_module("types")
_module("client", Prisma=Prisma, TransactionManager=Prisma, Client=Prisma)
_module("actions")
