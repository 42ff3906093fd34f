from tidegate.capacity.request import Request, Running


def test_known_tokens_are_the_prompt_and_what_was_generated():
    running = Running(Request("a", 7, 3), (0, 1), 2.0)
    assert (running.known, running.timing.arrival_s) == (7, 2.0)
    running.generated = 2
    assert running.known == 9
