"""LiteLLM's config.yaml to a plan file of ours. Every key of it is carried, or told of."""

from pathlib import Path
from typing import Any, Final

from tidegate.config.litellm_credentials import with_credentials
from tidegate.config.litellm_families import advice_of
from tidegate.config.litellm_models import Known, Models
from tidegate.config.litellm_routes import Shared, routes_of
from tidegate.config.litellm_settings import read_general, read_litellm, read_router
from tidegate.config.moving import Findings
from tidegate.config.their_file import FileRefused, Their, read_yaml
from tidegate.config.their_secrets import Secrets
from tidegate.config.written_plan import Converted, Draft, written

_HEADING: Final = (
    "Imported from LiteLLM's {name} by `tidegate import litellm`.",
    "`tidegate check` says whether it may be served, docs/plan-file.md what each key means.",
)
_MOST_INCLUDED: Final = 50


def convert_litellm(path: Path, known: Known) -> Converted:
    """The plan that the file comes to, as far as what is `known` here goes. FileRefused."""
    found, draft, kept = Findings(), Draft(), Secrets()
    whole = Their(with_credentials(_with_included(path, found), found), "", found)
    models = Models(draft, kept, known, found)
    for item in whole.items("model_list"):
        models.add(item)
    shared = Shared()
    read_router(whole.mapping("router_settings"), shared)
    read_litellm(whole.mapping("litellm_settings"), draft, shared)
    read_general(whole.mapping("general_settings"), draft)
    _environment(whole)
    whole.rest(advice_of)
    routes_of(models, shared, draft, found)
    _price(draft)
    findings = found.all()
    groups = {
        name: [it for it in of if it in draft.routes] for name, of in models.stands_for.items()
    }
    heading = [line.format(name=path.name) for line in _HEADING]
    plan = written(draft, heading, findings)
    return Converted(plan, kept.files, groups, findings, bool(draft.routes))


def _with_included(path: Path, found: Findings, depth: int = 0) -> dict[str, Any]:
    """The file with those that it includes, as LiteLLM puts them together: lists are joined, of
    anything else the included one holds."""
    value = read_yaml(path)
    included = value.pop("include", None) or []
    if not isinstance(included, list) or depth > 3 or len(included) > _MOST_INCLUDED:
        raise FileRefused(f"{path}: `include` is a list of a few files, none of them its own")
    for name in included:
        found.carried("include", "the one plan file")
        for key, more in _with_included(path.parent / str(name), found, depth + 1).items():
            both_lists = isinstance(more, list) and isinstance(value.get(key), list)
            value[key] = [*value[key], *more] if both_lists else more
    return value


def _environment(whole: Their) -> None:
    """Variables that LiteLLM sets for itself: their values are secrets as often as not."""
    variables = whole.mapping("environment_variables")
    for name in variables.names():
        variables.leave(name, "set it in the environment that Tidegate is started in")


def _price(draft: Draft) -> None:
    """LiteLLM serves what it knows no price of, and so must the plan; that is told by its check."""
    if draft.targets:
        draft.unpriced = "allow"
