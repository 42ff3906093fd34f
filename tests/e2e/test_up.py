"""`tidegate up` without a plan: a real model, the official client, and the first receipt."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from tests.e2e.rig import House

QUESTION = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("up"), None) as house:
        yield house


@pytest.fixture
def client(house: House) -> Iterator[openai.OpenAI]:
    """The client as the printed snippet makes it."""
    assert house.output is not None
    printed = house.output.wait_for(r'base_url="(\S+)", api_key="(sk-tg-\w+)"')
    with openai.OpenAI(base_url=printed[1], api_key=printed[2], max_retries=0) as client:
        yield client


@pytest.mark.engine
def test_the_printed_snippet_works_and_the_first_receipt_is_shown(
    house: House, client: openai.OpenAI
) -> None:
    answer = client.chat.completions.create(model="demo", messages=QUESTION, max_tokens=16)
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert house.output is not None
    shown = house.output.wait_for(r"The first call's receipt:\n([\s\S]+?)\n\n?$")
    assert "$0" in shown[0]
    assert "demo" in shown[0]


@pytest.mark.engine
def test_a_streamed_answer_counts_its_tokens(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="demo",
        messages=QUESTION,
        max_tokens=16,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text
    assert chunks[-1].usage is not None
    assert 1 <= chunks[-1].usage.completion_tokens <= 16


@pytest.mark.engine
def test_the_key_of_nobody_is_refused_with_the_client_s_own_error(house: House) -> None:
    client = openai.OpenAI(base_url=f"{house.url}/v1", api_key="sk-tg-wrong", max_retries=0)
    with client, pytest.raises(openai.AuthenticationError) as refused:
        client.models.list()
    assert refused.value.code == "invalid_api_key"


@pytest.mark.engine
def test_a_second_start_is_quick_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    for _ in range(2):
        with House(tmp_path, None) as house:
            with openai.OpenAI(base_url=f"{house.url}/v1", api_key=house.key()) as client:
                assert [model.id for model in client.models.list()] == ["demo"]
            assert house.stop(signal.SIGINT) == 0


class WithoutWheels(House):
    """A machine for which the local model has no wheels."""

    program = (
        "-c",
        "from tidegate.boot import local_model\n"
        "local_model.available = lambda: 'no local model'\n"
        "from tidegate.boot.entry import main\n"
        "main()",
    )


def test_where_the_model_has_no_wheels_it_says_so_and_simulates(tmp_path: Path) -> None:
    with WithoutWheels(tmp_path, None) as house:
        assert house.output is not None
        house.output.wait_for("Model: simulated text, since there is no local model\n")
        with openai.OpenAI(base_url=f"{house.url}/v1", api_key=house.key()) as client:
            answer = client.chat.completions.create(model="demo", messages=QUESTION)
            vectors = client.embeddings.create(model="demo", input=["one", "two"])
    assert answer.choices[0].message.content
    assert len(vectors.data) == 2


def test_a_taken_port_stops_it_with_one_line(tmp_path: Path, taken_port: int) -> None:
    house = House(tmp_path, "providers: {}\n", ("--listen", f"127.0.0.1:{taken_port}"))
    with pytest.raises(AssertionError, match="is taken by another process: stop it, or choose"):
        house.start()
    assert house.stop() == 1


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]
