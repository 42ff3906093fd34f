"""Control without a recorder of its own."""

from sqlalchemy import Engine

from tidegate.control.recording import NoRecording
from tidegate.core.feed import Status
from tidegate.core.layout import Layout


def test_it_does_nothing_and_shows_nothing(layout: Layout, engine: Engine) -> None:
    none = NoRecording()
    none.start(
        layout,
        engine,
        lambda gateway, segment, offset: None,
        litellm_names=True,
        session_alert_tokens=lambda: 1,
    )
    none.read_engines(engine, lambda: None)
    none.observe_status("gateway-0", Status({}, {}))
    assert none.render() == b""
    none.stop()
