import pytest
from tests.actuators.messages import message
from tests.actuators.receivers import Http, running

from tidegate.control.sending import send, way_of
from tidegate.core.declared_notifications import DeclaredNotifications, DeclaredWay
from tidegate.core.notice import NotDelivered
from tidegate.core.secret import SecretRef
from tidegate.core.ways import Told


def test_it_goes_the_declared_way_with_the_secret_as_it_is_now() -> None:
    with running(http := Http()):
        hook = DeclaredWay("slack", secret=SecretRef(env="HOOK"), private=True)
        declared = DeclaredNotifications(ways={"chat": hook})
        for path in ("/one", "/two"):
            assert send(declared, {"HOOK": http.url + path}, "chat", message()) == Told()
        with pytest.raises(NotDelivered, match=r"its secret \$\{HOOK\} is not to be had"):
            send(declared, {}, "chat", message())
        assert [one.path for one in http.taken] == ["/one", "/two"]


def test_a_way_that_is_declared_no_more_may_be_declared_again() -> None:
    with pytest.raises(NotDelivered, match="no such way any more") as failed:
        send(DeclaredNotifications(), {}, "chat", message())
    assert not failed.value.final


def test_a_way_is_found_by_the_name_of_its_file() -> None:
    assert way_of("slack") is not way_of("email")
