"""resolve: which route the caller means, whether its key may, and which release of it serves."""

from tidegate.core.ask import Ask
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.assign import assign
from tidegate.gateway.http.strict import Headers
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_route import PreparedRoute

OFF_RETRY_S = 5.0


def resolve(
    ask: Ask, key: KeyRecord, plan: PreparedPlan, receipt: Receipt, headers: Headers
) -> PreparedRoute:
    """The route of the request, as its release has it, noted on the receipt. Refusal."""
    if key.end_user is not None:
        receipt.end_user = key.end_user  # proven, whatever the request says
    route = plan.routes.get(ask.model)
    if route is None:
        raise Refusal(
            "model_not_found", "there is no such model; GET /v1/models lists yours", param="model"
        )
    if not key.may_use(ask.model):
        raise Refusal("route_not_allowed", "this API key may not use that model", param="model")
    receipt.route = ask.model
    if route.off is not None:
        raise Refusal("route_off", route.off, retry_after_s=OFF_RETRY_S)
    if route.candidate is not None and not ask.counts:
        route = assign(ask, key, headers, route, receipt)
    if ask.endpoint != "chat" or ask.counts:
        off = route.off_but_chats
        if off is not None:
            raise Refusal("route_off", off, retry_after_s=OFF_RETRY_S)
    receipt.release = route.route.release.name
    if not route.target.serves(ask) and not route.serving(ask):
        if not any(ask.endpoint in share.target.endpoints for share in route.pool):
            message = f"that model does not serve {ask.endpoint}"
            raise Refusal("invalid_request", message, param="model")
        raise Refusal("unpriced_model", "no price is known for that model", param="model")
    return route
