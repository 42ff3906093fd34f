from tidegate.core.declared_control import DeclaredControl


def test_control_of_which_nothing_is_said_answers_loopback_only():
    control = DeclaredControl()
    assert str(control.listen) == "127.0.0.1:4001"
    assert control.allowed_hosts == control.allowed_origins == ()
