from msgspec.structs import fields

from tidegate.config.shape import shape_of
from tidegate.core.declared_probes import DeclaredExpect, DeclaredProbe
from tidegate.core.probe import Expect, Probe
from tidegate.core.units import usd_to_nanousd


def names(of):
    return {field.name for field in fields(of)}


def test_a_probe_is_declared_in_the_plan_s_own_fields_but_for_its_money():
    assert names(DeclaredProbe) == names(Probe) - {"nanousd_per_hour"} | {"usd_per_hour"}
    assert names(DeclaredExpect) == names(Expect)


def test_defaults_are_the_plan_s_own():
    declared, probe = DeclaredProbe(), Probe()
    for name in ("every_s", "endpoint", "prompt", "system"):
        assert getattr(declared, name) == getattr(probe, name)
    assert usd_to_nanousd(declared.usd_per_hour) == probe.nanousd_per_hour


def test_a_schema_is_read_as_json_and_times_as_durations():
    assert shape_of(DeclaredExpect).by_key["json_schema"].shape.read == "json"
    assert shape_of(DeclaredProbe).by_key["every_s"].shape.read == "duration"
