from tidegate.core.declared_loop import DeclaredLoop


def test_a_lease_outlasts_several_ticks() -> None:
    declared = DeclaredLoop()
    assert declared.lease_s >= 3 * declared.tick_s
    assert not declared.dry_run
