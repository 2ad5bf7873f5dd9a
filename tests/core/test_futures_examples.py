"""Worked examples of the futures maths: what docs/futures-maths.md derives by hand, and what it says.

Every expected value was derived there, or is printed in a document of an exchange that is named there;
none is our own output. The page and the tables here have the same cases with the same values.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator.core.numbers import exact
from tests.core.worked import Example, told
from tests.core.worked_liquidations import LIQUIDATIONS
from tests.core.worked_margins import MARGINS
from tests.core.worked_positions import POSITIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "futures-maths.md"
EXAMPLES = POSITIONS + MARGINS + LIQUIDATIONS


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example(example: Example) -> None:
    with exact():
        assert told(example.figure()) == example.expected


def test_the_page_derives_what_is_expected() -> None:
    rows = re.findall(r"^\| ([A-Z]\d+) \|.*\| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {example.name: example.expected for example in EXAMPLES}
    assert len(rows) == len(EXAMPLES) >= 40
