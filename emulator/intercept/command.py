"""Runs a command in the foreground: it gets the signals that we get, and what it ends with is the outcome."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

NOT_FOUND = 127
NOT_EXECUTABLE = 126
BY_SIGNAL = 128

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Interrupted(BaseException):
    """A signal came while there was no command to pass it to."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = BY_SIGNAL + number


class Signals:
    """Where signals go: to the command while there is one; else they end what is being done."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_over = False

    @contextmanager
    def taken(self) -> Iterator[None]:
        before = {}
        for number in _PASSED_ON:
            # What is ignored, as with nohup, is meant to stay so.
            if signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, self._take)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """The command's exit code as a shell has it."""
        try:
            self._process = subprocess.Popen(list(command), env=dict(environment))
        except FileNotFoundError:
            _say(f"{command[0]}: not found")
            return NOT_FOUND
        except OSError as error:
            _say(f"{command[0]}: {error.strerror}")
            return NOT_EXECUTABLE
        code = self._process.wait()
        return code if code >= 0 else BY_SIGNAL - code

    def finish(self) -> None:
        """From now on there is nothing left that a signal could end sooner."""
        self._is_over = True

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._process is not None and self._process.poll() is None:
            if not (number in (signal.SIGINT, signal.SIGQUIT) and _is_of_terminal()):
                self._process.send_signal(number)
        elif not self._is_over:
            raise Interrupted(number)


Run = Callable[[Sequence[str], Mapping[str, str]], int]
"""Runs a command with an environment, to its exit code."""


def _is_of_terminal() -> bool:
    """Whether a key of the terminal sends its signals to us; then the command got it too."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _say(text: str) -> None:
    print(f"emulator exec: {text}", file=sys.stderr)
