"""Which columns of LiteLLM's tables are read, which say nothing of what may be done, and what is
to be done about any other that says something."""

from collections.abc import Mapping
from typing import Any, Final

from tidegate.config.moving import Findings
from tidegate.config.their_file import UNLIKE

_STAMPS: Final = frozenset(
    {"created_at", "created_by", "updated_at", "updated_by", "settings_updated_at", "last_active"}
)
# What `litellm_house` reads.
READ: Final[Mapping[str, frozenset[str]]] = {
    "keys": frozenset(
        {
            *("token", "key_name", "key_alias", "spend", "expires", "models", "user_id", "team_id"),
            *("project_id", "organization_id", "max_parallel_requests", "metadata", "blocked"),
            *("tpm_limit", "rpm_limit", "max_budget", "budget_duration", "budget_reset_at"),
            *("budget_id", "allowed_routes"),
        }
    ),
    "teams": frozenset(
        {
            *("team_id", "team_alias", "organization_id", "metadata", "max_budget", "soft_budget"),
            *("spend", "models", "max_parallel_requests", "tpm_limit", "rpm_limit"),
            *("budget_duration", "budget_reset_at", "blocked"),
        }
    ),
    "users": frozenset(
        {"user_id", "max_budget", "spend", "models", "budget_duration", "budget_reset_at"}
    ),
    "organizations": frozenset({"organization_id", "budget_id", "spend"}),
    "projects": frozenset({"project_id", "team_id", "budget_id", "spend", "models", "blocked"}),
    "end_users": frozenset({"user_id", "spend", "budget_id"}),
    "members": frozenset({"user_id", "team_id", "spend", "budget_id"}),
    "tags": frozenset({"tag_name", "budget_id"}),
}
# What is read of a budget that a row names.
OF_BUDGET: Final = frozenset(
    {"budget_id", "max_budget", "soft_budget", "budget_duration", "budget_reset_at", "spend"}
)
OF_KEYS_BUDGET: Final = OF_BUDGET | {"rpm_limit", "tpm_limit", "max_parallel_requests"}
OF_MEMBERS_BUDGET: Final = OF_BUDGET | {"allowed_models"}
# What grants and restricts nothing of a request.
_HARMLESS: Final[Mapping[str, frozenset[str]]] = {
    "keys": frozenset(
        {
            *("total_spend", "model_spend", "soft_budget_cooldown", "rotation_count", "key_type"),
            *("last_rotation_at", "agent_id"),
        }
    ),
    "teams": frozenset(
        {
            *("admins", "members", "members_with_roles", "model_spend", "team_member_permissions"),
            "default_team_member_models",
        }
    ),
    "users": frozenset(
        {
            *("user_alias", "user_email", "user_role", "team_id", "teams", "organization_id"),
            *("password", "sso_user_id", "model_spend", "password_reset_required"),
            *("last_breach_check_at", "metadata"),
        }
    ),
    "organizations": frozenset({"organization_alias", "metadata", "model_spend"}),
    "projects": frozenset({"project_alias", "description", "metadata", "model_spend"}),
    "end_users": frozenset({"alias"}),
    "members": frozenset({"total_spend"}),
    "tags": frozenset({"description", "spend", "models", "model_info"}),
}
_PATHS: Final = "keys here call every API of their routes"
_BY_MODEL: Final = "write a limit in the plan file, `only: {key: ID, route: NAME}`"
_ADVICE: Final[Mapping[str, str]] = {
    "model_max_budget": (
        "set a budget for each, `tidegate budget set NAME --only key=ID --only route=MODEL`"
    ),
    "tpd_limit_type": "write a limit of tokens a day in the plan file",
    "allow_team_guardrail_config": "write guardrails into the route",
    "budget_limits": "one budget a key or team: set the others with `tidegate budget set`",
    "tpd_limit": "write a limit of tokens a day in the plan file",
    "rpm_limit": "write a limit in the plan file, `only: {customer: ID}`",
    "tpm_limit": "write a limit in the plan file, `only: {customer: ID}`",
    "max_parallel_requests": "write a limit in the plan file, `only: {customer: ID}`",
    "soft_budget": "set a budget that only alerts, `tidegate budget set NAME --soft`",
    "model_rpm_limit": _BY_MODEL,
    "model_tpm_limit": _BY_MODEL,
    "aliases": "give the plan a route of that name",
    "config": "write what differs into a route of its own",
    "router_settings": "write what differs into a route of its own",
    "permissions": _PATHS,
    "object_permission_id": "tools and vector stores are not granted here",
    "policies": "write guardrails into the route",
    "auto_rotate": "rotate it with `tidegate key rotate`",
    "rotation_interval": "rotate it with `tidegate key rotate`",
    "key_rotation_at": "rotate it with `tidegate key rotate`",
    "budget_fallbacks": "write `fallbacks` into the route",
    "allowed_cache_controls": "callers say `cache-control` themselves",
    "blocked": "end users are not blocked here: do it in the application",
    "allowed_model_region": "give those users a route with targets there",
    "default_model": "name the route in the application",
    "models": "what its keys may call is on the keys",
    "access_group_ids": "name the models on the key",
    "allowed_models": "name the models on the key",
    "temp_budget_increase": "raise it with `tidegate budget raise`",
    "temp_budget_expiry": "raise it with `tidegate budget raise`",
    "model_id": "give the plan a route of that name",
}
# Tables beside those that are read: what happened there, and what runs the proxy itself.
_TABLES_OF_THEIR_OWN: Final = (
    *("LiteLLM_Daily", "LiteLLM_Deleted", "LiteLLM_SpendLog", "LiteLLM_Retired", "LiteLLM_Lens"),
    *("LiteLLM_ShadowEval", "LiteLLM_AutoRouter", "LiteLLM_Accounting", "LiteLLM_Workflow"),
    *("LiteLLM_BudgetWindowSpend", "LiteLLM_ErrorLogs", "LiteLLM_UserNotifications"),
    *("LiteLLM_InvitationLink", "LiteLLM_AuditLog", "LiteLLM_ProxyWorkerHeartbeat"),
    *("LiteLLM_CronJob", "LiteLLM_HealthCheckTable", "LiteLLM_UISettings", "LiteLLM_SSO"),
    *("LiteLLM_AdaptiveRouter", "LiteLLM_TelemetryReport", "LiteLLM_VerifiedSubject"),
    *("LiteLLM_BackgroundInteractionSettlement", "LiteLLM_ObjectPermissionTable"),
)
_TOOLS: Final = "tools' servers, agents and skills are not served here"
_STORES: Final = "vector stores of providers are not served here"
_TABLES: Final[Mapping[str, str]] = {
    "LiteLLM_AccessGroupTable": "its groups name models for keys: name the models on the keys",
    "LiteLLM_ModelAccessGroupBudgetTable": "set a budget of each route, `--only route=NAME`",
    "LiteLLM_OrganizationMembership": (
        "budgets of users within an organization: set a budget, `--only customer=USER --only "
        "attribute.organization=ID`"
    ),
    "LiteLLM_ModelTable": "aliases of teams: give the plan routes of those names",
    "LiteLLM_CredentialsTable": "encrypted: write its keys as `api_key` of the providers",
    "LiteLLM_UserProviderCredentials": "callers' own credentials are not passed on",
    "LiteLLM_SubscriptionAccountTable": "callers' own credentials are not passed on",
    "LiteLLM_JWTKeyMapping": "callers by token: docs/callers.md",
    "LiteLLM_Config": "settings made in its pages: write them into its config.yaml first",
    "LiteLLM_ConfigOverrides": "settings made in its pages: write them into its config.yaml first",
    "LiteLLM_CacheConfig": "settings made in its pages: write them into its config.yaml first",
    "LiteLLM_GuardrailsTable": "write `guardrails` below the routes",
    "LiteLLM_PolicyTable": "write `guardrails` below the routes",
    "LiteLLM_PolicyAttachmentTable": "write `guardrails` below the routes",
    "LiteLLM_PromptTable": "write them into the repository of prompts: docs/prompts.md",
    "LiteLLM_AgentsTable": _TOOLS,
    "LiteLLM_AgentIdentity": _TOOLS,
    "LiteLLM_MCPServerTable": _TOOLS,
    "LiteLLM_MCPToolsetTable": _TOOLS,
    "LiteLLM_MCPUserCredentials": _TOOLS,
    "LiteLLM_MCPUserEnvVars": _TOOLS,
    "LiteLLM_MCPServerOAuthClient": _TOOLS,
    "LiteLLM_SearchToolsTable": _TOOLS,
    "LiteLLM_SkillsTable": _TOOLS,
    "LiteLLM_ToolTable": _TOOLS,
    "LiteLLM_ClaudeCodePluginTable": _TOOLS,
    "LiteLLM_MemoryTable": _TOOLS,
    "LiteLLM_ManagedFileTable": "files and batches under way there end there",
    "LiteLLM_ManagedObjectTable": "files and batches under way there end there",
    "LiteLLM_ManagedFileContentTable": "files and batches under way there end there",
    "LiteLLM_ManagedVectorStoreTable": _STORES,
    "LiteLLM_ManagedVectorStoresTable": _STORES,
    "LiteLLM_ManagedVectorStoreIndexTable": _STORES,
}
_NOTHING: Final[tuple[object, ...]] = (None, False, 0, "", [], {}, "{}", "[]", "null", '"{}"')


def say_left_of_budget(
    what: str, row: Mapping[str, Any], read: frozenset[str], found: Findings
) -> None:
    """Everything that a budget says which another row names, and nobody reads there."""
    for name, value in row.items():
        if name not in read and name not in _STAMPS and value not in _NOTHING:
            found.left(f"{what}.budget_id, {name}", _ADVICE.get(name, UNLIKE))


def say_left(table: str, row: Mapping[str, Any], found: Findings) -> None:
    """Everything that this row says and nobody reads."""
    known = READ[table] | _HARMLESS[table] | _STAMPS
    for name, value in row.items():
        if name not in known and value not in _NOTHING:
            found.left(f"{table}.{name}", _ADVICE.get(name, UNLIKE))


def say_left_table(name: str, found: Findings) -> None:
    """A table that holds something and is not read."""
    if not name.startswith(_TABLES_OF_THEIR_OWN):
        found.left(f"the table {name}", _TABLES.get(name, UNLIKE))


def text_of(value: object, most: int) -> str:
    """A name of theirs as one of ours: printable, and not too long."""
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return text[:most] or "unnamed"
