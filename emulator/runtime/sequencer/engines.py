"""The engines of a sandbox by name, of which one may be away to be rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emulator.core.engine import Observer
from emulator.runtime.ports import EnginePort, EngineUnavailable


class Engines(dict[str, EnginePort]):
    """The engines of a sandbox by name. Asking for one that is being rebuilt raises EngineUnavailable."""

    def __init__(self, engines: Mapping[str, EnginePort]) -> None:
        super().__init__(engines)
        self.absent: set[str] = set()
        self._observers: dict[str, list[Observer]] = {name: [] for name in engines}
        for name, engine in engines.items():
            engine.observers = self._observers[name]

    def __missing__(self, name: str) -> EnginePort:
        if name in self.absent:
            raise EngineUnavailable(f"the engine {name!r} is being rebuilt from the journal")
        raise KeyError(name)

    def observe(self, name: str, observer: Observer) -> Callable[[], None]:
        """Have an engine watched, also after it was rebuilt; returns what ends it."""
        observers = self._observers[name]
        observers.append(observer)
        return lambda: observers.remove(observer)

    def take_out(self, name: str) -> None:
        """It raised, and is to be rebuilt."""
        del self[name]
        self.absent.add(name)

    def put_back(self, name: str, engine: EnginePort) -> None:
        """It was rebuilt as `engine`."""
        self.absent.discard(name)
        engine.observers = self._observers[name]
        self[name] = engine
