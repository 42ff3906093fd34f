"""The plan in force: what it is, who obeys it, and reading its file again."""

from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes import GatewayList, GatewayView, PlanReloaded, PlanView


async def _show(call: Call) -> PlanView:
    plans = call.desk.plans
    plan = plans.current
    return PlanView(
        version=plan.version,
        digest=plan.digest,
        compiled_at_s=plan.compiled_at_s,
        file=str(plans.file),
        routes=list(plan.routes),
        problems=plans.problems,
        warnings=plans.warnings,
        read_at_s=plans.read_at_s,
        failures_total=plans.failures_total,
        served={state.gateway: state.plan_version for state in call.desk.feed.gateways()},
        leader=call.desk.who_leads(),
    )


async def _reload(call: Call) -> PlanReloaded:
    desk = call.desk
    by = call.operator.name if call.operator else None
    result = await desk.plans.reload("api", by)
    if result.outcome == "refused":
        raise ApiError(
            "plan_refused",
            f"The plan file was refused; version {result.version} serves on.",
            problems=result.problems,
        )
    waiting_for: list[str] = []
    if result.outcome == "published":
        waiting_for = await desk.obeyed(await desk.newest_seq())
    return PlanReloaded(result.outcome, result.version, waiting_for)


async def _gateways(call: Call) -> GatewayList:
    seq = await call.desk.newest_seq()
    return GatewayList(
        [
            GatewayView(
                gateway=state.gateway,
                pid=state.pid,
                connected_at_s=state.connected_at_s,
                plan_version=state.plan_version,
                feed_seq=state.seq,
                error=state.error,
                status_at_s=state.status_at_s,
                gauges=state.gauges,
            )
            for state in call.desk.feed.gateways()
        ],
        seq,
    )


ROWS = (
    Row("GET", "/api/plan", "viewer", _show),
    Row("POST", "/api/plan/reload", "operator", _reload),
    Row("GET", "/api/gateways", "viewer", _gateways),
)
