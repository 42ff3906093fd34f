"""Keys, tokens and passwords are found; what only looks like one is not."""

import pytest
from tests.guardrails.looked import complaint, found

RANDOM = "aB3dE6gH9jK2mN5pQ8sTvW1yZ4bC7eF0gH3j"
THINGS = {
    f"sk-proj-{RANDOM}": "provider_key",
    f"sk-ant-api03-{RANDOM}": "provider_key",
    f"sk-tg-0a1b2c3d_{RANDOM}": "provider_key",
    f"gsk_{RANDOM}": "provider_key",
    f"hf_{RANDOM}": "provider_key",
    "AKIAIOSFODNN7EXAMPLE": "aws_key",
    f"AIza{RANDOM[:35]}": "google_key",
    f"ghp_{RANDOM}": "github_token",
    "xoxb-123456789012-abcdefGHIJ": "slack_token",
    f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{RANDOM}": "jwt",
}


@pytest.mark.parametrize("thing", THINGS)
def test_each_is_found(thing: str) -> None:
    assert found("secrets", f"use {thing} for it") == [(thing, THINGS[thing])]


def test_of_what_is_named_the_value_is_found() -> None:
    text = (
        f'db: postgres://me:s3cr3tPass@db/x, api_key = "{RANDOM}", Authorization: Bearer {RANDOM}'
    )
    assert found("secrets", text) == [
        ("s3cr3tPass", "url_password"),
        (RANDOM, "assigned"),
        (RANDOM, "bearer"),
    ]


def test_a_private_key_is_one_with_all_its_lines() -> None:
    key = f"-----BEGIN EC PRIVATE KEY-----\n{RANDOM}\n{RANDOM}\n-----END EC PRIVATE KEY-----"
    assert found("secrets", f"Here:\n{key}\nend") == [(key, "private_key")]
    assert found("secrets", key[:60]) == [(key[:60], "private_key")]


@pytest.mark.parametrize(
    "text",
    [
        "password = os.environ['DB_PASSWORD']",
        "api_key: YOUR_API_KEY_1234",
        "token: str = Field(default=None)",
        "the bearer of this message, task-force, sk-learn and risk-free",
        "secret_key = <your-secret-key-here1>",
        "https://api.openai.com/v1/chat and user@example.com",
        "password: correcthorsebatterystaple",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert found("secrets", text) == []


def test_types_are_chosen() -> None:
    assert found("secrets", "AKIAIOSFODNN7EXAMPLE", types=("jwt",)) == []
    assert complaint("secrets") is None


def test_keys_that_never_end_are_found_in_time() -> None:
    begin = "-----BEGIN PRIVATE KEY-----\n"
    whole = f"{begin}{RANDOM}\n-----END PRIVATE KEY-----"
    assert found("secrets", f"{begin}{RANDOM}\n{whole}") == [
        (f"{begin}{RANDOM}\n", "private_key"),
        (whole, "private_key"),
    ]
    assert len(found("secrets", begin * 20_000 + "!")) == 19_999
