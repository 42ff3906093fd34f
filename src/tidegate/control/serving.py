"""The HTTP server of the control API."""

import contextlib
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp

_SHUTDOWN_S = 3
_IDLE_S = 75
_MOST_AT_ONCE = 512


class Server(uvicorn.Server):
    """Uvicorn without its own signals: a signal must also end long polls and the feed."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=_MOST_AT_ONCE,
                timeout_keep_alive=_IDLE_S,
                timeout_graceful_shutdown=_SHUTDOWN_S,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
