"""A client of the control API, and a sandbox for each test to itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from tests.launch import Server

_numbers = count(1)


class ControlClient:
    """Asks below one address; what the answer's status must be is part of the question."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client = httpx.Client(base_url=address, trust_env=False)

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        answer = self._client.request(method, path, json=body, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def get(self, path: str, **options: Any) -> Any:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.ask("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.ask("PUT", path, body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.ask("DELETE", path, **options)

    def refused(self, method: str, path: str, body: Any = None, *, status: int, **options: Any) -> str:
        """The code of the error, whose shape is checked."""
        error = self.ask(method, path, body, status=status, **options)
        assert list(error) == ["error"]
        assert sorted(error["error"]) == ["code", "message"]
        assert error["error"]["message"]
        code: str = error["error"]["code"]
        return code

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def control(server: Server) -> Iterator[ControlClient]:
    """The control API of the default sandbox."""
    client = ControlClient(server.control)
    yield client
    client.close()


@pytest.fixture
def sandbox(control: ControlClient) -> Iterator[str]:
    """The name of a fresh sandbox whose clock stands still at the first moment of 2026."""
    name = f"test-{next(_numbers)}"
    control.post("/sandboxes", {"name": name, "clock": {"mode": "virtual", "time": "2026-01-01T00:00:00Z"}})
    yield name
    control.delete(f"/sandboxes/{name}")


@pytest.fixture
def inside(server: Server, sandbox: str) -> Iterator[ControlClient]:
    """The control API of that sandbox, by its path prefix."""
    client = ControlClient(f"{server.url}/~{sandbox}/_emulator")
    yield client
    client.close()
