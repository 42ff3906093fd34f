"""A plan file as it is written for people: sections in the order of docs/plan-file.md, what is to
be done above them as comments."""

from collections.abc import Iterable
from typing import Any, Final

import yaml
from msgspec import Struct, field

from tidegate.config.moving import Finding

_SAID: Final = {
    "providers": "Accounts. Secrets are references: the gateway alone reads them.",
    "targets": "Models at providers.",
    "routes": "What applications send as `model`.",
    "limits": "What requests are held to.",
    "budgets": "What may be spent.",
}
_WIDTH: Final = 96


class Draft(Struct):
    """A plan in the words of the plan file, section by section."""

    providers: dict[str, Any] = field(default_factory=dict)
    targets: dict[str, Any] = field(default_factory=dict)
    routes: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    budgets: dict[str, Any] = field(default_factory=dict)
    unpriced: str | None = None
    storage: dict[str, Any] = field(default_factory=dict)
    gateway: dict[str, Any] = field(default_factory=dict)
    control: dict[str, Any] = field(default_factory=dict)


class Converted(Struct, frozen=True):
    """What a file of theirs comes to. `secrets` are those that it held, by the file that the plan
    names for each; `groups` are names that stand for several routes."""

    plan: str
    secrets: dict[str, str]
    groups: dict[str, list[str]]
    findings: list[Finding]
    has_routes: bool = True


def written(draft: Draft, heading: Iterable[str], findings: Iterable[Finding]) -> str:
    """The file's text. What was left is listed in it, so that it is read with the plan."""
    lines = [f"# {it}" for it in heading]
    left = [it for it in findings if it.fate == "left"]
    if left:
        lines += ["#", "# Not carried:"]
        lines += [f"#   {_plain(it.theirs)}: {_plain(it.said)}" for it in left]
    text = "\n".join(lines) + "\n"
    for name in Draft.__struct_fields__:
        value = getattr(draft, name)
        if value:
            said = f"# {_SAID[name]}\n" if name in _SAID else ""
            text += "\n" + said + _dumped({name: value})
    return text


class _Whole(yaml.SafeDumper):
    """Writes what is the same twice out twice: who changes one route means that one."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dumped(value: dict[str, Any]) -> str:
    return yaml.dump(
        value,
        Dumper=_Whole,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=False,
    )


def literal(text: str) -> str:
    """A text of theirs that is no reference, as the plan file reads it."""
    return text.replace("${", "$${")


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
