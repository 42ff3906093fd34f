"""What probes and scrapers read."""

import asyncio

from tidegate.control.respond import Text
from tidegate.control.routes import Call, Row

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


async def _live(call: Call) -> Text:
    return Text(b"ok\n")


async def _metrics(call: Call) -> Text:
    return Text(await asyncio.to_thread(call.desk.render_metrics), _PROMETHEUS)


ROWS = (
    Row("GET", "/livez", "public", _live),
    Row("GET", "/metrics", "scrape", _metrics),
)
