"""TGI's page has no KV cache: it is unknown."""

from tests.engines.saved import told


def test_what_it_says() -> None:
    found = told("tgi", "tgi")
    assert found["engine_queue_s"] == ("tgi_request_queue_duration", 1.2, 40.0)
    assert found["engine_output_tokens"] == ("tgi_request_generated_tokens", 5000.0, None)
    assert "engine_kv_cache_usage" not in found
