"""What any-llm is asked: only what a caller may say, where and as whom only the plan says."""

import asyncio
import threading
from typing import Any

import pytest
from tests.beside.fake import WHOLE, Dumped, Library, RateLimitError, UnsupportedParameterError

from tidegate.beside import asking
from tidegate.beside.asking import CHAT, Asker, Whose, WrongRequest, split, taken
from tidegate.core.secret import Secret

WHOSE = Whose("watsonx", None, Secret("k"))


def test_a_model_names_its_provider() -> None:
    assert split("watsonx:ibm/granite:8b") == ("watsonx", "ibm/granite:8b")
    for wrong in ("granite", ":granite", "watsonx:", "", None, 7):
        with pytest.raises(WrongRequest) as no:
            split(wrong)
        assert (no.value.status, no.value.param) == (404, "model")


@pytest.mark.parametrize(
    "name", ["api_key", "api_base", "client_args", "provider", "timeout", "metadata", "MESSAGES"]
)
def test_a_caller_does_not_say_where_or_as_whom(name: str) -> None:
    with pytest.raises(WrongRequest, match=name) as no:
        taken({"model": "a:b", "messages": [], name: "http://evil"}, CHAT, "messages")
    assert no.value.code == "unsupported_parameter"


def test_what_is_null_was_not_said_and_what_is_needed_was() -> None:
    body: dict[str, Any] = {"model": "a:b", "messages": [], "n": 1, "stop": None}
    assert taken(body, CHAT, "messages") == {"messages": [], "n": 1}
    with pytest.raises(WrongRequest, match="`messages` is missing"):
        taken({"model": "a:b"}, CHAT, "messages")


def test_a_client_is_made_once_for_each_credential() -> None:
    async def main() -> None:
        library = Library(WHOLE)
        asker = Asker(library.create)
        for key in ("a", "b", "a", "a", "b"):
            await asker.chat(Whose("openai", None, Secret(key)), "m", {"messages": []})
        await asker.chat(Whose("openai", "http://h/v1", Secret("a")), "m", {"messages": []})
        assert [(one["api_key"], one["api_base"]) for _, one in library.created] == [
            *(("a", None), ("b", None)),
            ("a", "http://h/v1"),
        ]
        assert all(one["max_retries"] == 0 for _, one in library.created)

    asyncio.run(main())


def test_clients_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_MOST_CLIENTS", 2)

    async def main() -> None:
        library = Library(WHOLE)
        asker = Asker(library.create)
        for key in ("a", "b", "c", "b", "a"):
            await asker.chat(Whose("openai", None, Secret(key)), "m", {"messages": []})
        assert [one["api_key"] for _, one in library.created] == ["a", "b", "c", "a"]

    asyncio.run(main())


def test_a_client_that_is_long_in_making_holds_up_its_own_provider_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "MAKE_S", 0.2)

    async def main() -> None:
        library, go = Library(WHOLE), threading.Event()
        making: list[str] = []

        def create(provider: str, **named: Any) -> Any:
            making.append(provider)
            if provider == "slow":
                go.wait(10)
            return library.create(provider, **named)

        asker = Asker(create)
        slow = [
            asyncio.ensure_future(asker.chat(Whose("slow", None, Secret(key)), "m", {}))
            for key in ("a", "a", "b", "c")
        ]
        assert await asker.chat(WHOSE, "m", {}) is WHOLE
        told = await asyncio.gather(*slow, return_exceptions=True)
        assert {type(one) for one in told} == {TimeoutError}
        assert sorted(making) == ["slow", "watsonx"]  # one thread waits, whoever else comes
        go.set()
        assert await asker.chat(Whose("slow", None, Secret("a")), "m", {}) is WHOLE
        assert len(making) == 2

    asyncio.run(main())


def test_a_client_that_cannot_be_made_may_be_made_again() -> None:
    async def main() -> None:
        library, fails = Library(WHOLE), [True]

        def create(provider: str, **named: Any) -> Any:
            if fails.pop() if fails else False:
                raise RateLimitError("no")
            return library.create(provider, **named)

        asker = Asker(create)
        told = await asyncio.gather(
            *(asker.chat(WHOSE, "m", {}) for _ in range(3)), return_exceptions=True
        )
        assert [type(one) for one in told] == [RateLimitError, Dumped, Dumped]

    asyncio.run(main())


def test_what_a_provider_cannot_be_told_is_left_away() -> None:
    async def main() -> None:
        no = UnsupportedParameterError("no", parameter_name="stream_options")
        library = Library(no, WHOLE)
        members = {"messages": [], "stream_options": {"include_usage": True}}
        await Asker(library.create).chat(Whose("old", None, None), "m", members)
        assert [set(one) for one in library.asked] == [
            {"model", "messages", "stream_options"},
            {"model", "messages"},
        ]
        assert [set(one) - {"api_key", "api_base"} for _, one in library.created] == [
            {"unified_exceptions", "max_retries"},
            {"unified_exceptions"},
        ]

    asyncio.run(main())


def test_other_errors_are_its_own() -> None:
    async def main() -> None:
        library = Library(RateLimitError("slow"))
        with pytest.raises(RateLimitError):
            await Asker(library.create).chat(WHOSE, "m", {"messages": []})
        assert len(library.asked) == 1

    asyncio.run(main())


def test_whose_it_is_shows_no_key() -> None:
    assert "'k'" not in repr(WHOSE)
