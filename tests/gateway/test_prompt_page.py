"""A prompt as it is served, for those who may read it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.reply import Reply
from tests.gateway.rig import Gateway, gateway, run
from tests.gateway.routed import at
from tests.gateway.upstream import Upstream
from tests.gateway.with_prompt import HI, NAME, TIDE, asked_by, tagged, version

from tidegate.core.prompt import is_name
from tidegate.gateway.prompt_page import GRANT, prompt_in

READS = {GRANT: f"other {NAME}"}


async def _get(it: Gateway, path: str, **key: Any) -> Reply:
    headers = {"authorization": f"Bearer {it.store.add(**key)}"}
    return await it.ask(path, headers=headers, method="GET")


def test_it_is_given_whole_by_its_tag(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            known = tagged(
                version("v3", parameters=(("top_p", "0.9"),)),
                version("v4"),
                stable="v3",
                canary="v4",
            )
            plan = asked_by(at(up, "a"), prompt=known)
            async with gateway(tmp_path, at(up, "a"), **plan) as it:
                reply = await _get(it, f"/v1/prompts/{NAME}", attributes=READS)
                assert reply.status == 200
                assert reply.json["version"] == "v3"
                assert reply.json["messages"][0]["role"] == "system"
                assert reply.json["parameters"] == {"top_p": 0.9}
                assert reply.json["inputs"][1]["default"] == "calm"
                reply = await _get(it, f"/v1/prompts/{NAME}?tag=canary", attributes=READS)
                assert (reply.json["version"], reply.json["tag"]) == ("v4", "canary")
                assert reply.headers["x-tidegate-prompt"] == f"{NAME}@v4"

    run(main())


def test_an_unknown_tag_is_answered_with_stable_and_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            plan = asked_by(at(up, "a"), prompt=tagged(version("v3")))
            async with gateway(tmp_path, at(up, "a"), **plan) as it:
                reply = await _get(it, f"/v1/prompts/{NAME}?tag=beta", attributes={GRANT: "*"})
                assert reply.status == 200
                assert (reply.json["tag"], reply.json["asked_tag"]) == ("stable", "beta")
                assert reply.headers["x-tidegate-prompt-tag"] == "stable"

    run(main())


@pytest.mark.parametrize(
    ("path", "attributes", "status"),
    [
        (f"/v1/prompts/{NAME}", {}, 404),
        (f"/v1/prompts/{NAME}", {GRANT: "supports"}, 404),
        ("/v1/prompts/absent", {GRANT: "*"}, 404),
        ("/v1/prompts/", {GRANT: "*"}, 400),
        ("/v1/prompts/..%2f..%2fetc", {GRANT: "*"}, 400),
        ("/v1/prompts/con", {GRANT: "*"}, 400),
        ("/v1/prompts/" + "a" * 300, {GRANT: "*"}, 400),
        (f"/v1/prompts/{NAME}?tag=..", {GRANT: "*"}, 400),
        (f"/v1/prompts/{NAME}?tag=a&tag=b", {GRANT: "*"}, 400),
        (f"/v1/prompts/{NAME}?version=3", {GRANT: "*"}, 400),
    ],
)
def test_what_may_not_be_read_is_not_there(
    tmp_path: Path, path: str, attributes: dict[str, str], status: int
) -> None:
    async def main() -> None:
        async with Upstream() as up:
            plan = asked_by(at(up, "a"), prompt=tagged(version("v3")))
            async with gateway(tmp_path, at(up, "a"), **plan) as it:
                assert (await _get(it, path, attributes=attributes)).status == status
                bare = await it.ask(path, headers={}, method="GET")
                assert bare.status == 401

    run(main())


# As they may stand in a path, and what each is once it is read.
TRICKS = {
    "..%2f..%2fetc%2fpasswd": "../../etc/passwd",
    "%2e%2e": "..",
    "%252e%252e": "%2e%2e",
    "support%2fv1": "support/v1",
    "..%5csupport": "..\\support",
    "support%00": "support\0",
    "support%0a": "support\n",
    "%d1%95upport": "\u0455upport",  # a Cyrillic letter that looks like s
    "%ef%bd%93upport": "\uff53upport",  # a wide s, which NFKC makes an s
    "support%e2%80%8b": "support\u200b",
    "%e2%80%ae": "\u202e",
    "Support": "Support",
    "con": "con",
    "nul.txt": "nul.txt",
    "-rf": "-rf",
    ".git": ".git",
    "a" * 300: "a" * 300,
}


@pytest.mark.parametrize("stands", ["path", "tag", "id", "body's tag"])
def test_what_looks_like_a_name_and_is_none_is_refused_by_one_pattern(
    tmp_path: Path, stands: str
) -> None:
    async def main() -> None:
        async with Upstream() as up:
            plan = asked_by(at(up, "a"), prompt=tagged(version("v3")))
            async with gateway(tmp_path, at(up, "a"), **plan) as it:
                headers = {"authorization": f"Bearer {it.store.add(attributes={GRANT: '*'})}"}
                for coded, name in TRICKS.items():
                    if stands in ("path", "tag"):
                        path = coded if stands == "path" else f"{NAME}?tag={coded}"
                        reply = await it.ask(f"/v1/prompts/{path}", headers=headers, method="GET")
                    else:
                        said = {**TIDE, "id" if stands == "id" else "tag": name}
                        body = {"model": "small", "messages": [HI], "prompt": said}
                        reply = await it.ask(body=body, headers=headers)
                    assert reply.status == 400, (name, reply.raw)
                assert not up.exchanges

    run(main())


@given(st.binary(max_size=80))
def test_no_path_is_read_as_a_name_that_is_none(path: bytes) -> None:
    name = prompt_in(b"/v1/prompts/" + path)
    assert name is not None
    assert not is_name(name) or name.encode() == path
