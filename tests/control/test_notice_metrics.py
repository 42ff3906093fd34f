from tidegate.control.notice_metrics import render


def test_tries_are_counted_by_way_and_outcome() -> None:
    text = render({("mail", "delivered"): 3, ("chat", "dead"): 1}).decode()
    assert text.splitlines()[2:] == [
        'tidegate_notice_tries_total{way="chat",outcome="dead"} 1',
        'tidegate_notice_tries_total{way="mail",outcome="delivered"} 3',
    ]
    assert render({}).startswith(b"# HELP")
