"""Where it is, and whether somebody must be paid for it. Its wire is proven in the contract."""

from tidegate.providers.openai_compatible import Anything
from tidegate.providers.sim import plug


def test_its_address_and_whether_it_is_hosted() -> None:
    assert (plug.base_url, plug.hosted) == ("http://127.0.0.1:8190/v1", False)
    assert plug.endpoints == Anything.endpoints
