from tidegate.sim.options import Options


def test_defaults_stay_on_this_machine():
    options = Options()
    assert (options.host, options.port, options.allow_fault_header) == ("127.0.0.1", 0, False)
    assert options.profile.name == "tiny"
