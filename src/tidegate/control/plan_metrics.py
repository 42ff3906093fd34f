"""The plan's own series on `/metrics`: which version is in force and how many were refused."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from tidegate.control.exposition import label
from tidegate.control.plans import Plans
from tidegate.core.plan import Plan
from tidegate.core.retirement import retiring

_TEXT = """\
# HELP tidegate_plan_info The plan in force, by version and digest.
# TYPE tidegate_plan_info gauge
tidegate_plan_info{{version="{version}",digest="{digest}"}} 1
# HELP tidegate_plan_published_total Plans published since control started.
# TYPE tidegate_plan_published_total counter
tidegate_plan_published_total {published}
# HELP tidegate_plan_reload_failures_total Plan files refused since control started.
# TYPE tidegate_plan_reload_failures_total counter
tidegate_plan_reload_failures_total {failures}
# HELP tidegate_plan_refused Whether the plan file as it lies there was refused.
# TYPE tidegate_plan_refused gauge
tidegate_plan_refused {refused}
"""

_RETIRES = """\
# HELP tidegate_target_retires_timestamp_seconds When the model of a route's target is retired.
# TYPE tidegate_target_retires_timestamp_seconds gauge
"""


def render(plans: Plans) -> bytes:
    """The series in Prometheus' text form."""
    plan = plans.current
    text = _TEXT.format(
        version=plan.version,
        digest="".join(letter for letter in plan.digest if letter.isalnum()),
        published=plans.published_total,
        failures=plans.failures_total,
        refused=int(bool(plans.problems)),
    )
    return (text + "".join(_retirements(plan))).encode()


def _retirements(plan: Plan) -> Iterator[str]:
    """Days of retirement, of targets whose models have one."""
    going = list(retiring(plan, date.max, 0))
    if going:
        yield _RETIRES
    for target, routes in going:
        assert target.facts is not None and target.facts.retires_on is not None  # noqa: S101
        at = datetime.combine(target.facts.retires_on, time.min, UTC).timestamp()
        for route in routes:
            names = f'route="{label(route)}",target="{label(target.name)}"'
            yield f"tidegate_target_retires_timestamp_seconds{{{names}}} {at:.0f}\n"
