from msgspec.structs import asdict

from tidegate.core.declared_gateway import DeclaredGateway, DeclaredHttp
from tidegate.core.plan import HttpBounds, Plan


def test_http_bounds_are_declared_one_for_one_with_the_plans_defaults():
    assert asdict(DeclaredHttp()) == asdict(HttpBounds())


def test_a_gateway_of_which_nothing_is_said_listens_on_loopback_only():
    gateway = DeclaredGateway()
    assert str(gateway.listen) == "127.0.0.1:4000"
    assert gateway.drain_s == Plan(1, "", 0.0, {}).drain_s
