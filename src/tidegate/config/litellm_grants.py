"""What LiteLLM's keys may call, as routes, and what they carry, as attributes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from tidegate.config.litellm_columns import text_of
from tidegate.config.litellm_ids import id_of
from tidegate.config.moving import Findings

# Who a key belongs to, and which models may be called there.
Above = tuple[str, Sequence[str]]

EVERY: Final = "*"
USERS: Final = "users.models"
_WHOLE_TEAM: Final = "all-team-models"
_WHOLE_PROXY: Final = "all-proxy-models"
_NONE: Final = "no-default-models"
_MOST_ATTRIBUTES: Final = 30
MOST_TEXT: Final = 256
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MANAGEMENT: Final = frozenset({"management_routes", "info_routes", "self_managed_routes"})
_CALLS: Final = frozenset({"llm_api_routes", "openai_routes", "anthropic_routes"})
# Members of a key's metadata that LiteLLM itself acts on.
_ACTED_ON: Final[Mapping[str, str]] = {
    "model_rpm_limit": "write a limit in the plan file, `only: {key: ID, route: NAME}`",
    "model_tpm_limit": "write a limit in the plan file, `only: {key: ID, route: NAME}`",
    "guardrails": "write guardrails into the route",
    "disable_guardrails": "write guardrails into the route",
    "logging": "receipts are kept of every key",
    "temp_budget_increase": "raise it with `tidegate budget raise`",
    "temp_budget_expiry": "raise it with `tidegate budget raise`",
    "enforced_params": "write `parameters` into the route",
    "rpm_limit_type": "a limit here holds whatever the models' own limits are",
    "tpm_limit_type": "a limit here holds whatever the models' own limits are",
    "prompts": "write `prompt` into the route",
    "allowed_passthrough_routes": "nothing is passed through here but the APIs of a route",
}
_SILENT: Final = frozenset(
    {"team_member_budget_id", "team_member_key_duration", "service_account_id"}
)


class Grants:
    """`groups` are names that stand for several models: access groups, and aliases."""

    def __init__(
        self, routes: frozenset[str], groups: Mapping[str, list[str]], found: Findings
    ) -> None:
        self._routes = routes
        self._groups = groups
        self._found = found

    def routes(self, models: Sequence[str], where: str) -> tuple[str, ...]:
        """Routes of these models; none written is every one. A model that the plan has not is told
        of and left."""
        if not models or _WHOLE_PROXY in models or EVERY in models:
            return (EVERY,)
        found: dict[str, None] = {}
        for model in models:
            if model == _NONE:
                continue
            wanted = list(self._wanted(model))
            if not wanted:
                said = "the plan has no route of that name: nobody may call what is not there"
                self._found.left(f"{where}: {model[:80]}", said)
            found.update(dict.fromkeys(wanted))
        return tuple(found)

    def of_key(self, row: Mapping[str, Any], above: Iterable[Above]) -> tuple[str, ...]:
        """A key's own, within those of each that it belongs to; without any of its own all of
        those."""
        own = list(row.get("models") or [])
        whole = _WHOLE_TEAM in own or _WHOLE_PROXY in own
        found = (EVERY,) if whole else self.routes(own, "keys.models")
        for where, models in above:
            # A user with this name among others may call nothing at all without a team there.
            blocked = where == USERS and _NONE in models
            within = () if blocked else self.routes(models, where)
            if found == (EVERY,):
                found = within
            elif within != (EVERY,):
                found = tuple(it for it in found if it in within)
        return found

    def is_for_management(self, allowed: Sequence[str]) -> bool:
        """Whether such a key may call no model. What else it is held to is told."""
        if allowed and set(allowed) <= _MANAGEMENT:
            return True
        if allowed and not _CALLS & set(allowed):
            said = "keys here may call every API of their routes"
            self._found.left("keys.allowed_routes, which restricts", said)
        return False

    def _wanted(self, model: str) -> Iterable[str]:
        if model in self._routes:
            return (model,)
        if model in self._groups:
            return (it for it in self._groups[model] if it in self._routes)
        if "*" in model:
            return (it for it in sorted(self._routes) if fnmatchcase(it, model))
        return ()


def attributes_of(
    row: Mapping[str, Any], team: Mapping[str, Any], found: Findings
) -> dict[str, str]:
    """What the key's metadata says, its organization and its project, as attributes."""
    try:
        metadata = msgspec.json.decode(str(row.get("metadata") or "{}"), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        metadata = {}
    attributes: dict[str, str] = {}
    for name, value in metadata.items():
        text = _text(value)
        if name in _ACTED_ON:
            if value not in (None, [], {}, ""):
                found.left(f"keys.metadata.{name}", _ACTED_ON[name])
        elif name not in _SILENT and value not in (None, [], {}, ""):
            if text is None or _NAME.fullmatch(name) is None or len(text) > MOST_TEXT:
                said = "an attribute has a short name and a short text"
                found.left(f"keys.metadata.{text_of(name, 40)}", said)
            elif len(attributes) < _MOST_ATTRIBUTES:
                attributes[name] = text
                found.carried("keys.metadata", "attributes")
    for name, value in (
        ("organization", row.get("organization_id") or team.get("organization_id")),
        ("project", row.get("project_id")),
    ):
        if value:
            attributes[name] = id_of(str(value), MOST_TEXT)
            found.carried(f"keys.{name}_id", f"the attribute {name}")
    return attributes


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value if value.isprintable() else None
    if isinstance(value, bool | int | float):
        return msgspec.json.encode(value).decode()
    if isinstance(value, list) and all(isinstance(it, str) and "," not in it for it in value):
        return _text(",".join(value))
    return None
