"""What is recent of history, for queries (`views.Views`), and what is asked of it."""

from __future__ import annotations

from emulator.core.views.archiving import Taken
from emulator.core.views.selecting import chosen
from emulator.core.views.views import Views

__all__ = ["Taken", "Views", "chosen"]
