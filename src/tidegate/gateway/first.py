"""first: which target a request goes to first, by how its route balances them and what may be asked
now."""

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.outcome import Failure
from tidegate.core.resilience import FailureClass
from tidegate.gateway.balance import balanced
from tidegate.gateway.chain import Chain, can_serve
from tidegate.gateway.media import text_bytes
from tidegate.gateway.places import Places
from tidegate.gateway.prepared_route import PreparedShare
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.progress import Progress
from tidegate.gateway.provider_rate import no_allowance
from tidegate.gateway.world import World
from tidegate.text import tokens


def first(progress: Progress, ask: Ask, world: World) -> tuple[PreparedTarget, Chain | None]:
    """The target that is asked first: of those that can be, else a fallback, with what led to it,
    else any that may be tried all the same. Failure where none may."""
    route, receipt = progress.route, progress.receipt
    assert route is not None  # noqa: S101 - see `attempts`
    now_s, wanted = clock.monotonic_s(), tokens.estimate(text_bytes(ask))

    def places_of(target: PreparedTarget) -> Places:
        return world.queues.at(target.target)

    serving = route.serving(ask)
    able = [share for share in serving if can_serve(share.target, ask, wanted, now_s)]
    if able:
        return balanced(route.route.balance, able, receipt, places_of), None
    allowed = [share for share in serving if share.target.allowed(now_s)]
    throttled = any(share.target.throttled(wanted, now_s) for share in allowed)
    of: FailureClass = "rate_limited" if throttled else "unavailable"
    for target in route.fallbacks.get(of, ()):
        if can_serve(target, ask, wanted, now_s):
            receipt.passed_over = True
            chain = Chain(ask, route, progress.until_s)
            chain.led(of, _passed_over(serving, of, wanted, now_s))
            return target, chain
    trying = allowed or [s for s in serving if s.target.target.breaker.when_all_open == "try"]
    if not trying:
        raise _passed_over(serving, of, wanted, now_s)
    return balanced(route.route.balance, trying, receipt, places_of), None


def _passed_over(
    serving: list[PreparedShare], of: FailureClass, wanted: int, now_s: float
) -> Failure:
    """Why none of a route's own targets is asked now."""
    if of == "rate_limited":
        return no_allowance(min(share.target.wait_s(wanted, now_s) for share in serving))
    message = "the target has failed too often, and is left alone for now"
    waits = [it.breaker.retry_s - now_s for share in serving for it in share.target.replicas]
    wait_s = max(min(waits, default=0.0), 0.0)
    return Failure("unavailable", "upstream_overloaded", message, retry_after_s=wait_s)
