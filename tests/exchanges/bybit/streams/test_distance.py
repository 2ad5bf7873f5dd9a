"""What a socket says arrives later than what it was asked, in the same order, and all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.exchanges.bybit.streams.distance import ANSWER_S, Distance


class Wire:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)


class Hours:
    """An event loop's clock and timers, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now_s

    def call_at(self, when_s: float, call: Callable[[], None]) -> _Handle:
        self.timers.append((when_s, call))
        return _Handle(self.timers, self.timers[-1])

    def pass_by(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while due := [timer for timer in self.timers if timer[0] <= until_s]:
            when_s, call = timer = min(due, key=lambda timer: timer[0])
            self.timers.remove(timer)
            self.now_s = max(self.now_s, when_s)
            call()
        self.now_s = until_s


class _Handle:
    def __init__(self, timers: list[Any], timer: Any) -> None:
        self._timers, self._timer = timers, timer

    def cancel(self) -> None:
        self._timers.remove(self._timer)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def distance(wire: Wire, hours: Hours) -> Distance:
    return Distance(wire, hours)  # type: ignore[arg-type]  # only what it uses of a socket and a loop


def test_what_nobody_asked_for_leaves_at_once(wire: Wire, distance: Distance) -> None:
    distance.send(b"news")
    assert wire.sent == [b"news"]


def test_an_answer_takes_its_time(wire: Wire, hours: Hours, distance: Distance) -> None:
    distance.asked()
    distance.send(b"answer")
    hours.pass_by(ANSWER_S / 2)
    assert wire.sent == []
    hours.pass_by(ANSWER_S)
    assert wire.sent == [b"answer"]


def test_nothing_overtakes_an_answer(wire: Wire, hours: Hours, distance: Distance) -> None:
    distance.asked()
    distance.send(b"answer")
    hours.pass_by(ANSWER_S / 2)
    distance.send(b"news")
    assert wire.sent == []
    hours.pass_by(ANSWER_S)
    assert wire.sent == [b"answer", b"news"]


def test_who_asks_on_and_on_is_answered_meanwhile(wire: Wire, hours: Hours, distance: Distance) -> None:
    for number in range(10):
        distance.asked()
        distance.send(b"%d" % number)
        hours.pass_by(ANSWER_S * 0.6)
    assert wire.sent == [b"%d" % number for number in range(9)]
    hours.pass_by(ANSWER_S)
    assert wire.sent[-1] == b"9"
    distance.send(b"news")
    assert wire.sent[-1] == b"news"


def test_a_goodbye_comes_after_what_was_said(wire: Wire, hours: Hours, distance: Distance) -> None:
    distance.asked()
    distance.send(b"answer")
    distance.arrive()
    assert wire.sent == [b"answer"]
    assert hours.timers == []
