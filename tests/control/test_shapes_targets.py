import msgspec

from tidegate.control.shapes_targets import TargetList


def test_a_target_of_which_nobody_has_told_is_read_as_unknown() -> None:
    view = (
        b'{"name": "a", "provider": "p", "model": "m", "routes": [], "probe": null,'
        b'"in_flight": null, "left_alone": null, "parts_probed": 0, "parts_up": 0,'
        b'"availability": null, "last_good_at_s": null, "ttft_s": null}'
    )
    found = msgspec.json.decode(b'{"targets": [%b], "gateways": 0}' % view, type=TargetList)
    assert found.targets[0].availability is None
