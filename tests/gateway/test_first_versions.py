from tidegate.gateway.first_versions import FirstVersions


def test_a_conversation_is_known_by_the_weight_and_arm_that_it_began_with() -> None:
    firsts = FirstVersions()
    firsts.begin("a", True, 0.05)
    assert firsts.of("a") == (True, 0.05)
    assert firsts.of("b") is None


def test_the_one_that_was_asked_for_longest_ago_is_forgotten_first() -> None:
    firsts = FirstVersions(most=2)
    firsts.begin("a", True, 0.1)
    firsts.begin("b", False, 0.1)
    assert firsts.of("a") is not None
    firsts.begin("c", False, 0.1)
    assert firsts.of("b") is None and firsts.of("a") is not None
    assert len(firsts) == 2
