"""A stand-in for a model, so that the story needs no account: it speaks OpenAI's chat completions
and answers a question with the sentence of its system prompt that shares most words with it. It
knows nothing but what it is told, which is what makes a prompt better or worse."""

import http.server
import json
import re
import sys

NOTHING = "I am not sure. Please write to our support."


def words(text: str) -> set[str]:
    return {it[:5] for it in re.findall(r"[a-z]+", text.lower()) if len(it) > 3}


def answer(messages: list[dict[str, str]]) -> str:
    told = " ".join(it["content"] for it in messages if it["role"] == "system")
    asked = words(messages[-1]["content"])
    sentences = re.split(r"(?<=[.!?])\s+", told)
    best = max(sentences, key=lambda it: (len(words(it) & asked), -len(it)), default="")
    return best.strip() if len(words(best) & asked) >= 2 else NOTHING


class Model(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said = answer(asked["messages"])
        sent = sum(len(it["content"].split()) for it in asked["messages"])
        usage = {"prompt_tokens": sent, "completion_tokens": len(said.split())}
        body = json.dumps(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": "clerk-2026-01",
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": said},
                        "finish_reason": "stop",
                    }
                ],
                "usage": {**usage, "total_tokens": sum(usage.values())},
            }
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8191
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Model) as server:
        sys.stdout.write(f"ready http://127.0.0.1:{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()
