"""Where it is, and whether somebody must be paid for it. Its wire is proven in the contract."""

from tidegate.providers.openai import plug


def test_its_address_and_whether_it_is_hosted() -> None:
    assert (plug.base_url, plug.hosted) == ("https://api.openai.com/v1", True)
    assert plug.endpoints == {"chat", "completions", "embeddings"}
