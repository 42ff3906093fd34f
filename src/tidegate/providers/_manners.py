"""What the many who speak OpenAI's chat do each in their own way, in words of one list."""

from typing import Literal

from msgspec import Struct


class Manners(Struct, frozen=True):
    """What a target takes that others of OpenAI's shape do not.

    `reasoning` is the member of a message that brings earlier reasoning back; None where there is
    none. `effort`: a model may be told how hard to think; `switch` is the member that says whether
    it shall at all. `forces_tools`: that one must be called may be said, `must_call` is its word.
    `names_a_tool`: which one may be said; otherwise it is the only one that is sent. `schemas`: an
    answer's form may be a schema, and not just any JSON. `end_users`, `names` and `metadata`: who
    asks may be told, who says what, and what a caller notes.
    """

    ceiling: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    reasoning: str | None = None
    top_k: bool = False
    effort: bool = True
    names_a_tool: bool = True
    forces_tools: bool = True
    must_call: str = "required"
    switch: Literal["thinking", "enable_thinking"] | None = None
    schemas: bool = True
    seed: str = "seed"
    end_users: bool = True
    names: bool = True
    metadata: bool = False
