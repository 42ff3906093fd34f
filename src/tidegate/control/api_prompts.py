"""Prompts: what is served, and flips of tags, which every gateway obeys before the answer."""

import asyncio
from collections.abc import Mapping

from sqlalchemy import Connection, Engine

from tidegate.control.api_keys import author
from tidegate.control.certified import Uncertified, models_of
from tidegate.control.desk import Desk
from tidegate.control.errors import ApiError
from tidegate.control.prompting import problems
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_prompts import (
    FlipList,
    Flipped,
    NewFlip,
    PromptList,
    PromptView,
    TagView,
)
from tidegate.core import clock
from tidegate.core.plan import Plan
from tidegate.core.prompt import STABLE, Prompt, TagFlip, is_name
from tidegate.core.words import nearest, quoted
from tidegate.prompts.reading import Snapshot
from tidegate.stores import database, prompts

OPERATOR = "operator:"


async def _list(call: Call) -> PromptList:
    desk = call.desk
    declared, reading = desk.plans.declared.prompts, desk.compiling.prompts
    snapshot = reading.snapshot
    if declared is None or snapshot is None:
        where = None if declared is None else declared.repository
        return PromptList(where, None, None, [], list(problems(reading)))
    newest = await desk.store(_flips)
    found = [_view(name, snapshot, newest, desk.plans.current) for name in sorted(snapshot.names())]
    commit = snapshot.index.commit
    told = [*problems(reading), *desk.certifying.problems]
    return PromptList(declared.repository, declared.ref, commit, found, told)


async def _show(call: Call) -> PromptView:
    snapshot = await _snapshot(call.desk)
    name = _known(snapshot, call.path["name"])
    newest = await call.desk.store(_flips)
    return _view(name, snapshot, newest, call.desk.plans.current)


async def _history(call: Call) -> FlipList:
    def read(engine: Engine) -> FlipList:
        with database.reading(engine) as connection:
            return FlipList(prompts.flips(connection, call.path["name"]))

    return await call.desk.store(read)


async def _flip(call: Call) -> Flipped:
    asked: NewFlip = call.body
    desk, tag = call.desk, call.path["tag"]
    snapshot = await _snapshot(desk)
    name = _known(snapshot, call.path["name"])
    if not is_name(tag):
        message = f"{quoted(tag)} is no name of a tag: small letters, digits, '-', '_' and '.'."
        raise ApiError("invalid_request", message, param="tag")
    found = await asyncio.to_thread(_version, snapshot, name, asked.version)
    if tag == STABLE and found is not None and not asked.uncertified:
        await _check_certified(desk, found)
    by = author(call)
    flip = TagFlip(
        0,
        clock.IdSource().new(),
        name,
        tag,
        asked.version,
        (snapshot.tags(name) or {}).get(tag),
        f"{OPERATOR}{by.actor}",
        f"uncertified: {asked.reason}" if asked.uncertified else asked.reason,
        by.at_s,
    )

    def keep(connection: Connection) -> TagFlip:
        if found is not None:
            known = {(name, found.version): found.digest}
            prompts.note_versions(connection, known, by.at_s)
        return prompts.append_flip(connection, flip)

    kept, waiting_for = await desk.amend(keep)
    _check_served(desk, kept)
    return Flipped(kept, waiting_for)


ROWS = (
    Row("GET", "/api/prompts", "viewer", _list),
    Row("GET", "/api/prompts/{name}", "viewer", _show),
    Row("GET", "/api/prompts/{name}/flips", "viewer", _history),
    Row("POST", "/api/prompts/{name}/tags/{tag}", "operator", _flip, body=NewFlip),
)


async def _snapshot(desk: Desk) -> Snapshot:
    """The prompts of now. ApiError where there are none to be had."""
    declared = desk.plans.declared.prompts
    if declared is None:
        message = "The plan file does not say where prompts are read from: write `prompts`."
        raise ApiError("not_found", message)
    try:
        return await asyncio.to_thread(desk.compiling.prompts.at, declared)
    except ValueError as error:
        raise ApiError("plan_refused", f"The prompts cannot be read: {error}.") from error


def _known(snapshot: Snapshot, name: str) -> str:
    names = set(snapshot.names())
    if name not in names:
        raise ApiError("not_found", f"There is no prompt {quoted(name)}{nearest(name, names)}.")
    return name


def _version(snapshot: Snapshot, name: str, version: str | None) -> Prompt | None:
    """What a tag is to point at. ApiError where it cannot be asked by."""
    if version is None:
        return None
    try:
        return snapshot.version(name, version)
    except ValueError as error:
        raise ApiError("invalid_request", f"{error}.", param="version") from error


def _check_served(desk: Desk, flip: TagFlip) -> None:
    """ApiError where the tag does not point where it was moved to: somebody else has moved it."""
    served = desk.plans.current.prompts.get(flip.prompt)
    at = None if served is None else served.tags.get(flip.tag)
    if at != flip.version:
        message = f"{flip.tag} points at {at or 'nothing'}: it was moved meanwhile; ask again."
        raise ApiError("taken", message, param="version")


async def _check_certified(desk: Desk, prompt: Prompt) -> None:
    """ApiError where `stable` may not point at it."""
    declared = desk.plans.declared.prompts
    if declared is None or declared.certificates == "off":
        return
    models = models_of(desk.plans.current, prompt)

    def lacking(_: Engine) -> list[Uncertified]:
        if desk.certifying.was_stable(prompt):
            return []  # a way back is never gated
        return desk.certifying.now().missing(prompt, models)

    missing = await desk.store(lacking)
    if missing:
        message = (
            f"{missing[0]}. Pass a gate first (`tidegate gate {prompt.name} --candidate "
            f"{prompt.version}`), or say `uncertified`, which is kept with the reason."
        )
        raise ApiError("uncertified", message, problems=list(map(str, missing)))


def _flips(engine: Engine) -> dict[tuple[str, str], TagFlip]:
    with database.reading(engine) as connection:
        return {(it.prompt, it.tag): it for it in prompts.newest_flips(connection)}


def _view(
    name: str,
    snapshot: Snapshot,
    newest: Mapping[tuple[str, str], TagFlip],
    plan: Plan,
) -> PromptView:
    served = plan.prompts.get(name)
    declared = snapshot.tags(name) or {}
    tags = []
    for tag, version in sorted(served.tags.items() if served is not None else ()):
        prompt = None if served is None else served.versions.get(version)
        said = declared.get(tag)
        moved = said != version
        flip = newest.get((name, tag)) if moved else None
        digest = None if prompt is None else prompt.digest
        tags.append(TagView(tag, version, digest, said if moved else None, flip))
    listed = snapshot.index.prompts.get(name)
    known = () if served is None else served.versions.values()
    owners = [it.owner for it in known if it.owner is not None]
    return PromptView(
        name,
        () if listed is None else tuple(listed.versions),
        tags,
        _routes(name, plan),
        owners[-1] if owners else None,
    )


def _routes(name: str, plan: Plan) -> dict[str, str | None]:
    """Which are asked by it, and by which version."""
    found: dict[str, str | None] = {}
    for route in plan.routes.values():
        wanted = route.prompt
        if wanted is not None and wanted.name == name:
            served = plan.prompts.get(name)
            by_tag = None if served is None else served.tags.get(wanted.tag)
            found[route.name] = wanted.version or by_tag
    return found
