"""Prompts of a plan: which version each tag points at, and the versions that may be asked for."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

import msgspec

from tidegate.core.assemble import Path, Say
from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.core.declared_route_prompt import DeclaredRoutePrompt
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.prompt import Prompt, PromptSource, RoutePrompt, TagFlip, Tagged
from tidegate.core.words import nearest, quoted

# A plan goes to gateways in one message.
MAX_PROMPT_BYTES: Final = 32 * 1024 * 1024
_encode: Final = msgspec.msgpack.Encoder().encode


class Prompts:
    """The prompts that one plan is compiled with. Where nobody reads them, a route that names one
    is believed: a plan that is to be obeyed is never compiled so."""

    def __init__(
        self,
        declared: DeclaredPrompts | None,
        read: Callable[[DeclaredPrompts], PromptSource] | None,
        flips: Iterable[TagFlip],
        say: Say,
    ) -> None:
        self._declared = declared
        self._source: PromptSource | None = None
        self._say = say
        if declared is not None and read is not None:
            try:
                self._source = read(declared)
            except ValueError as error:
                say(("prompts", "repository"), str(error))
        self._flips = _newest(flips)
        self._tagged: dict[str, Tagged | None] = {}

    def of_route(self, route: DeclaredRoute, path: Path) -> RoutePrompt | None:
        """What the route asks its models by, with its version among the plan's; None where it names
        none, or one that is not to be had, which is said."""
        if route.prompt is None:
            return None
        if route.system_prompt is not None:
            self._say((*path, "system_prompt"), "`prompt` is written too; remove one of them")
        return self.of(route.prompt, (*path, "prompt"))

    def of(self, wanted: DeclaredRoutePrompt, path: Path) -> RoutePrompt | None:
        """The same of what is named at `path`."""
        found = RoutePrompt(wanted.name, wanted.tag, wanted.version, wanted.allow_tags)
        if self._declared is None:
            self._say(path, "`prompts` is missing: write where prompts are read from")
        if self._source is None:
            return found
        tagged = self._known(wanted.name)
        if tagged is None:
            near = nearest(wanted.name, self._source.names())
            self._say((*path, "name"), f"there is no prompt {quoted(wanted.name)}{near}")
            return None
        if wanted.version is not None:
            self._read(tagged, wanted.version, (*path, "version"))
        elif wanted.tag not in tagged.tags:
            near = nearest(wanted.tag, tagged.tags)
            what = f"no version of {quoted(wanted.name)} has the tag {quoted(wanted.tag)}{near}"
            self._say((*path, "tag"), what)
        elif tagged.at(wanted.tag) is None:
            self._read(tagged, tagged.tags[wanted.tag], (*path, "tag"))
        for index, tag in enumerate(wanted.allow_tags):
            if tag not in tagged.tags:
                what = f"no version of {quoted(wanted.name)} has the tag {quoted(tag)}"
                self._say((*path, "allow_tags", str(index)), what)
        return found

    def keep(self, route: DeclaredRoute) -> None:
        """Have the version that a route named before it was moved among the plan's, as long as it
        may be moved back. Of one that is not to be had nothing is said before it is wanted."""
        wanted = route.prompt
        if wanted is None or wanted.version is None or self._source is None:
            return
        tagged = self._known(wanted.name)
        if tagged is not None and wanted.version not in tagged.versions:
            with suppress(ValueError):
                tagged.versions[wanted.version] = self._source.version(wanted.name, wanted.version)

    def missing(self, prompt: RoutePrompt, instead_of: RoutePrompt | None) -> tuple[str, ...]:
        """What a version needs of a caller that sends the variables of another, and does not get.
        Nothing where either is not known."""
        version = self._version(prompt)
        other = None if instead_of is None else self._version(instead_of)
        if version is None or (instead_of is not None and other is None):
            return ()
        sent = {it.name for it in other.inputs} if other is not None else set()
        needed = (it.name for it in version.inputs if it.default is None)
        return tuple(name for name in needed if name not in sent)

    def _version(self, prompt: RoutePrompt) -> Prompt | None:
        tagged = self._tagged.get(prompt.name)
        if tagged is None:
            return None
        return tagged.versions.get(prompt.version or tagged.tags.get(prompt.tag, ""))

    def digest(self, prompt: RoutePrompt | None) -> str | None:
        """Of the version that serves; None without one."""
        found = None if prompt is None else self._version(prompt)
        return None if found is None else found.digest

    def all(self) -> dict[str, Tagged]:
        """Every prompt with a tag, and those that routes name. What cannot be read of others is
        left out: `control` tells of it."""
        for name in self._source.names() if self._source is not None else ():
            self._known(name)
        found = {
            name: it for name, it in sorted(self._tagged.items()) if it is not None and it.versions
        }
        size = sum(len(_encode(it)) for it in found.values())
        if size > MAX_PROMPT_BYTES:
            self._say(
                ("prompts",),
                f"the tagged versions have {size:,} bytes together; a plan carries "
                f"{MAX_PROMPT_BYTES:,}: take tags off what nobody asks for",
            )
        return found

    def _known(self, name: str) -> Tagged | None:
        """With every tagged version that can be read."""
        if name not in self._tagged:
            self._tagged[name] = self._tagged_now(name)
        return self._tagged[name]

    def _tagged_now(self, name: str) -> Tagged | None:
        source = self._source
        if source is None:
            return None
        declared = source.tags(name)
        flips = {} if declared is None else speaking(name, declared, self._flips)
        said = {tag: it for tag, it in (declared or {}).items() if tag not in flips}
        tags = dict(source.allowed(name, said, flips))
        if declared is None and not tags:
            return None
        moved = {tag: flip.version for tag, flip in flips.items() if flip.version is not None}
        tagged = Tagged(name, tags | moved, {})
        for version in set(tagged.tags.values()):
            try:
                tagged.versions[version] = source.version(name, version)
            except ValueError:
                continue  # said where a route wants it
        return tagged

    def _read(self, tagged: Tagged, version: str, path: Path) -> None:
        if version in tagged.versions or self._source is None:
            return
        try:
            tagged.versions[version] = self._source.version(tagged.name, version)
        except ValueError as error:
            self._say(path, str(error))


Flips = Mapping[tuple[str, str], TagFlip]


def _newest(flips: Iterable[TagFlip]) -> Flips:
    """Of each prompt's tags the newest, whose order they come in."""
    return {(flip.prompt, flip.tag): flip for flip in flips}


def speaking(name: str, declared: Mapping[str, str], flips: Flips) -> dict[str, TagFlip]:
    """The flips of a prompt's tags that still speak, by tag: where the file says another word than
    it did then, and not what the flip says, somebody has edited it since."""
    return {
        tag: flip
        for (prompt, tag), flip in flips.items()
        if prompt == name and declared.get(tag) in (flip.base, flip.version)
    }
