"""resolve: which route the caller means, whether its key may, and what serves it."""

from tidegate.core.ask import Ask
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.prepared import PreparedPlan, PreparedRoute


def resolve(ask: Ask, key: KeyRecord, plan: PreparedPlan, receipt: Receipt) -> PreparedRoute:
    """The route of the request, noted on the receipt. Refusal."""
    route = plan.routes.get(ask.model)
    if route is None:
        raise Refusal(
            "model_not_found", "there is no such model; GET /v1/models lists yours", param="model"
        )
    if not key.may_use(ask.model):
        raise Refusal("route_not_allowed", "this API key may not use that model", param="model")
    receipt.route = ask.model
    receipt.release = route.release.name
    prepared = route.target
    if ask.endpoint not in prepared.provider.endpoints:
        raise Refusal("invalid_request", f"that model does not serve {ask.endpoint}", param="model")
    target = prepared.target
    if target.price is None and prepared.provider.hosted and not target.unpriced_allowed:
        raise Refusal("unpriced_model", "no price is known for that model", param="model")
    return route
