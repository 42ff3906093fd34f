from msgspec.structs import replace
from sqlalchemy import Engine
from tests.stores.test_notices import NOON_S

from tidegate.stores import database, posts
from tidegate.stores.posts import MOST_NOTICES, Post

POST = Post("team", "release/chat/new", "#ops", "C1", "1.5", NOON_S, ("a", "b"))


def test_a_post_is_found_again_until_it_is_forgotten(engine: Engine) -> None:
    with database.writing(engine) as connection:
        posts.keep(connection, POST)
    with database.writing(engine) as connection:
        assert posts.find(connection, "team", "release/chat/new") == POST
        assert posts.find(connection, "other", "release/chat/new") is None
        posts.forget(connection, "team", "release/chat/new")
        assert posts.find(connection, "team", "release/chat/new") is None


def test_the_newest_post_of_a_thing_is_its_post_and_knows_the_newest_notices(
    engine: Engine,
) -> None:
    anew = replace(POST, ts="2.5", notices=tuple(str(i) for i in range(MOST_NOTICES + 5)))
    with database.writing(engine) as connection:
        posts.keep(connection, POST)
        posts.keep(connection, anew)
        found = posts.find(connection, "team", "release/chat/new")
    assert found is not None
    assert (found.ts, found.notices) == ("2.5", anew.notices[5:])


def test_what_is_old_is_dropped(engine: Engine) -> None:
    with database.writing(engine) as connection:
        posts.keep(connection, POST)
        assert posts.trim(connection, NOON_S) == 0
        assert posts.trim(connection, NOON_S + 1) == 1
