"""LiteLLM's `credential_list`: what deployments share by a name is written into each that names it,
which keeps what it says itself, as there."""

from collections.abc import Mapping
from typing import Any, Final

from tidegate.config.moving import Findings

_NAMED: Final = "litellm_credential_name"


def with_credentials(file: Mapping[str, Any], found: Findings) -> dict[str, Any]:
    """The file without its list of credentials, as far as its deployments name them."""
    listed, models = file.get("credential_list"), file.get("model_list")
    if not isinstance(listed, list) or not isinstance(models, list):
        return dict(file)
    known = dict(filter(None, map(_values, listed)))
    deployments, asked = [], set()
    for one in models:
        params = one.get("litellm_params") if isinstance(one, dict) else None
        name = params.get(_NAMED) if isinstance(params, dict) else None
        if not isinstance(params, dict) or not isinstance(name, str) or name not in known:
            deployments.append(one)
            continue
        own = {key: value for key, value in params.items() if key != _NAMED}
        deployments.append({**one, "litellm_params": {**known[name], **own}})
        found.carried(f"model_list[].litellm_params.{_NAMED}", "providers.NAME")
        asked.add(name)
    left = [one for one in listed if (_values(one) or ("", {}))[0] not in asked]
    if asked:
        found.carried("credential_list", "providers.NAME")
    return {**file, "model_list": deployments, "credential_list": left or None}


def _values(one: object) -> tuple[str, dict[str, Any]] | None:
    name = one.get("credential_name") if isinstance(one, dict) else None
    values = one.get("credential_values") if isinstance(one, dict) else None
    return (name, values) if isinstance(name, str) and isinstance(values, dict) else None
