"""All cores at one picture: every job is done once, by a hand that is free or by the thread that asked."""

from __future__ import annotations

import threading

import pytest

from tasks.media.hands import Hands


def test_a_free_hand_takes_a_job_and_a_busy_one_does_not() -> None:
    begun, go, done = threading.Event(), threading.Event(), []

    def slow() -> None:
        begun.set()
        assert go.wait(20)
        done.append(threading.get_ident())

    with Hands(1) as hands:
        hands.do(slow)
        assert begun.wait(20)
        hands.do(lambda: done.append(threading.get_ident()))
        assert done == [threading.get_ident()], "here and now, as the only hand is busy"
        go.set()
    assert len(done) == 2 and done[1] != threading.get_ident()


@pytest.mark.parametrize("count", [1, 3])
def test_parts_are_shared_and_each_is_done_once(count: int) -> None:
    done: list[int] = []
    with Hands(count) as hands:
        hands.share(done.append, range(500))
        assert sorted(done) == list(range(500))
        hands.share(done.append, [])
    assert len(done) == 500


def test_all_work_at_a_share_together() -> None:
    everybody = threading.Barrier(3)
    with Hands(2) as hands:
        hands.share(lambda _: everybody.wait(20), range(3))


def test_a_share_does_not_wait_for_a_hand_that_is_busy_with_something_else() -> None:
    go, done = threading.Event(), []
    with Hands(2) as hands:
        hands.do(go.wait, 20)
        hands.do(go.wait, 20)
        hands.share(done.append, range(5))
        assert done == [0, 1, 2, 3, 4]
        go.set()


def test_two_cores_share_nothing() -> None:
    """They may be one core's two threads, which together take more of the processor for the same bands."""
    workers: set[int] = set()
    with Hands(1) as hands:
        hands.share(lambda _: workers.add(threading.get_ident()), range(50))
    assert workers == {threading.get_ident()}


@pytest.mark.parametrize("handed", [True, False], ids=["handed over", "here"])
def test_a_fault_reaches_whoever_asked(handed: bool) -> None:
    def break_down(*_: object) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"), Hands(1) as hands:
        if handed:
            hands.do(break_down)
        else:
            hands.share(break_down, range(3))
