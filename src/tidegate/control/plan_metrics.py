"""The plan's own series on `/metrics`: which version is in force and how many were refused."""

from tidegate.control.plans import Plans

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
    return text.encode()
