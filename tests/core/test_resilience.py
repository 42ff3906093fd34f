"""The defaults of the plan file are those of the plan."""

from msgspec.structs import asdict

from tidegate.core.declared_routes import DeclaredFallbacks, DeclaredRetry
from tidegate.core.declared_targets import DeclaredBreaker
from tidegate.core.resilience import FAILURE_CLASSES, Breaker, Retry
from tidegate.core.units import usd_to_nanousd


def test_what_is_not_written_is_the_default_of_the_plan() -> None:
    assert asdict(DeclaredBreaker()) == asdict(Breaker())
    declared = asdict(DeclaredRetry())
    wasted = usd_to_nanousd(declared.pop("wasted_usd_per_hour"))
    assert declared | {"wasted_nanousd_per_hour": wasted} == asdict(Retry())


def test_each_class_of_failure_can_be_written() -> None:
    assert DeclaredFallbacks.__struct_fields__ == FAILURE_CLASSES
