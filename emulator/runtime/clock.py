"""The clock of one sandbox: the wall's time, or a virtual one that is set, stepped and sped.

Invariant: `now_us` never decreases, even when the host's clock is set back; it then stands still
until the host has caught up. Integer arithmetic only. The source of wall time is passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from emulator.runtime.ports import ClockMode, ClockSetting, ClockSettingRefused

SPEED_MAX = 1_000_000
TIME_US_MAX = 253_402_300_799_999_999
"""The last microsecond of the year 9999, where a clock that is sped stands still."""

JUMP_US_MAX = 100 * 31_557_600 * 1_000_000
"""A hundred years. What a jump makes due is looked for before the answer, so it must have a bound."""


class SandboxClock:
    """Reads `wall_ns` (nanoseconds since 1970, as `time.time_ns` gives them) through a setting."""

    __slots__ = ("_frozen_us", "_last_us", "_ratio", "_setting", "_wall_ns", "is_virtual")

    def __init__(self, wall_ns: Callable[[], int], *, setting: ClockSetting | None = None) -> None:
        self._wall_ns = wall_ns
        self._last_us = 0
        self._setting = ClockSetting()
        self._ratio: tuple[int, int] | None = None
        self._frozen_us: int | None = None
        self.is_virtual = False
        if setting is not None:
            self.apply(setting)

    @property
    def setting(self) -> ClockSetting:
        return self._setting

    @property
    def mode(self) -> ClockMode:
        return self._setting.mode

    @property
    def speed(self) -> Decimal:
        """Seconds on this clock per second on the wall."""
        return self._setting.speed if self._setting.mode is ClockMode.VIRTUAL else Decimal(1)

    def now_us(self) -> int:
        now_us = self._frozen_us
        if now_us is None:
            wall_ns = self._wall_ns
            now_us = wall_ns() // 1000
            if self._ratio is not None:
                numerator, denominator = self._ratio
                elapsed_us = (now_us - self._setting.wall_us) * numerator // denominator
                now_us = min(self._setting.time_us + elapsed_us, TIME_US_MAX)
        if now_us > self._last_us:
            self._last_us = now_us
            return now_us
        return self._last_us

    def plan(self, mode: ClockMode, *, time_us: int | None, speed: Decimal) -> ClockSetting:
        """The setting that `apply` takes to show `time_us` (None: what it shows now) from now on.

        Raises ClockSettingRefused for a time before now: events are in the order of their times, so
        an earlier time needs a fresh sandbox, or a reset that names it; so does one that is more than
        JUMP_US_MAX ahead.
        """
        now_us = self.now_us()
        if mode is ClockMode.WALL:
            if time_us is not None:
                raise ClockSettingRefused("the wall clock cannot be set; use the virtual mode")
            wall_us = self._wall_ns() // 1000
            if wall_us < now_us:
                raise ClockSettingRefused(
                    f"the wall shows {wall_us} us, before this clock's {now_us} us; reset the sandbox instead"
                )
            return ClockSetting()
        setting = plan_virtual(self._wall_ns, time_us=now_us if time_us is None else time_us, speed=speed)
        if setting.time_us < now_us:
            raise ClockSettingRefused(
                f"the clock shows {now_us} us and cannot go back to {time_us} us; "
                "reset the sandbox with this time instead"
            )
        if setting.time_us > now_us + JUMP_US_MAX:
            raise ClockSettingRefused(
                f"{time_us} us is more than 100 years after this clock's {now_us} us; "
                "reset the sandbox with this time instead"
            )
        return setting

    def apply(self, setting: ClockSetting) -> None:
        self._setting = setting
        virtual = self.is_virtual = setting.mode is ClockMode.VIRTUAL
        self._ratio = Fraction(setting.speed).as_integer_ratio() if virtual else None
        self._frozen_us = setting.time_us if virtual and not setting.speed else None

    def not_before(self, time_us: int) -> None:
        """Never show less than this from now on: the time of the last journalled event."""
        self._last_us = max(self._last_us, time_us)


def plan_virtual(wall_ns: Callable[[], int], *, time_us: int, speed: Decimal) -> ClockSetting:
    """A virtual setting that shows `time_us` now. Raises ClockSettingRefused for what makes no sense."""
    if not 0 <= time_us <= TIME_US_MAX:
        raise ClockSettingRefused(f"{time_us} us is not within the years 1970 to 9999")
    if not (speed.is_finite() and 0 <= speed <= SPEED_MAX):
        raise ClockSettingRefused(f"the speed must be between 0 and {SPEED_MAX}, not {speed}")
    return ClockSetting(mode=ClockMode.VIRTUAL, time_us=time_us, wall_us=wall_ns() // 1000, speed=speed)
