"""A small Slack: a channel that a bot posts to, answers in threads, changes, and its refusals."""

from typing import Any

import msgspec
from tests.actuators.receivers import LOSE_ANSWER, TAKE, Fault, Http

TOKEN = "xoxb-hush"
CHANNEL = "C024BE91L"


class SlackApi(Http):
    """`posts` are what people see, by `ts`: each a list of what it has said, the newest last.
    `replies` are those below posts. A fault that is Slack's own error is answered with it."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: dict[str, list[dict[str, Any]]] = {}
        self.replies: list[dict[str, Any]] = []
        self.calls: list[str] = []

    def shown(self) -> list[str]:
        """What each post says now, in one text."""
        return [text_of(versions[-1]) for versions in self.posts.values()]

    def _answer(self, fault: Fault, write: Any) -> None:
        if isinstance(fault, int) and fault != TAKE:
            super()._answer(fault, write)
            return
        request = self.asked[-1]
        assert request.headers["content-type"].startswith("application/json")
        if isinstance(fault, str) and fault.islower() and fault != LOSE_ANSWER and "_" in fault:
            self._say({"ok": False, "error": fault}, write)
        elif request.headers.get("authorization") != f"Bearer {TOKEN}":
            self._say({"ok": False, "error": "invalid_auth"}, write)
        elif fault in (TAKE, LOSE_ANSWER):
            answer = self._do(request.path, msgspec.json.decode(request.body))
            if fault == TAKE:
                self._say(answer, write)

    def _do(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(path.removeprefix("/api/"))
        assert len(body["blocks"]) <= 50
        if path == "/api/chat.update":
            if body["ts"] not in self.posts:
                return {"ok": False, "error": "message_not_found"}
            self.posts[body["ts"]].append(body)
            return {"ok": True, "channel": body["channel"], "ts": body["ts"]}
        assert path == "/api/chat.postMessage"
        ts = f"1790000000.{len(self.asked):06}"
        if "thread_ts" in body:
            assert body["reply_broadcast"] is True
            self.replies.append(body)
        else:
            self.posts[ts] = [body]
        return {"ok": True, "channel": CHANNEL, "ts": ts, "message": body}

    def _say(self, answer: dict[str, Any], write: Any) -> None:
        self.said = msgspec.json.encode(answer)
        super()._answer(TAKE, write)


def text_of(body: dict[str, Any]) -> str:
    return "\n".join(block["text"]["text"] for block in body["blocks"])
