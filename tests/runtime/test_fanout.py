"""Subscribers get every batch in order, and cannot harm each other."""

from __future__ import annotations

from emulator.runtime.fanout import Fanout
from emulator.runtime.ports import Batch, KeyRemoved, Record


def batch(sequence: int, records: int = 1) -> Batch:
    record = Record(engine="", time_us=1, events=(KeyRemoved(key="k"),))
    return Batch(sandbox="s", sequence=sequence, records=(record,) * records)


def test_every_subscriber_gets_every_batch_in_order() -> None:
    fanout = Fanout()
    first: list[int] = []
    second: list[int] = []
    fanout.subscribe(lambda b: first.append(b.sequence))
    fanout.publish(batch(1))
    unsubscribe = fanout.subscribe(lambda b: second.append(b.sequence))
    fanout.publish(batch(2))
    fanout.publish(batch(3))
    unsubscribe()
    unsubscribe()
    fanout.publish(batch(4))
    assert first == [1, 2, 3, 4]
    assert second == [2, 3]


def test_one_that_raises_is_dropped_and_harms_nobody() -> None:
    fanout = Fanout()
    seen: list[str] = []

    def broken(batch: Batch) -> None:
        seen.append("broken")
        raise RuntimeError

    fanout.subscribe(broken)
    fanout.subscribe(lambda b: seen.append("sound"))
    fanout.publish(batch(1))
    fanout.publish(batch(2))
    assert seen == ["broken", "sound", "sound"]


def test_the_end_is_told_once() -> None:
    fanout = Fanout()
    told: list[str] = []

    def broken() -> None:
        told.append("broken")
        raise RuntimeError

    fanout.subscribe(lambda b: None, on_end=broken)
    fanout.subscribe(lambda b: None, on_end=lambda: told.append("sound"))
    fanout.subscribe(lambda b: None)
    fanout.end()
    fanout.end()
    assert told == ["broken", "sound"]


def test_who_comes_after_the_end_is_told_at_once() -> None:
    fanout = Fanout()
    told: list[str] = []
    fanout.end()
    fanout.at_end(lambda: told.append("late"))()
    assert told == ["late"]
    fanout.subscribe(lambda b: None, on_end=lambda: told.append("later"))
    assert told == ["late", "later"]


def test_recent_batches_are_kept_within_their_bound() -> None:
    fanout = Fanout(recent_records_max=10)
    assert fanout.recent() == []
    assert fanout.recent_first == 0
    for sequence in range(1, 21):
        fanout.publish(batch(sequence, records=2))
    assert fanout.recent_first == 16
    assert [b.sequence for b in fanout.recent()] == [16, 17, 18, 19, 20]
    assert [b.sequence for b in fanout.recent(after_sequence=17)] == [18, 19, 20]
    assert [b.sequence for b in fanout.recent(after_sequence=17, records_max=5)] == [18, 19]
    assert [b.sequence for b in fanout.recent(after_sequence=17, records_max=1)] == [18]
    assert fanout.recent(after_sequence=20) == []


def test_a_batch_larger_than_the_bound_is_kept_alone() -> None:
    fanout = Fanout(recent_records_max=3)
    fanout.publish(batch(1))
    fanout.publish(batch(2, records=9))
    assert [b.sequence for b in fanout.recent()] == [2]
