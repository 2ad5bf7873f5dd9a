"""Paths of rows that stand for many: with `{names}` of one segment each, or `/*` for all that is below."""

from __future__ import annotations

import re


def is_template(path: str) -> bool:
    """Whether a row's path stands for more than itself."""
    return "{" in path or path.endswith("/*")


def compile_path(path: str) -> re.Pattern[str]:
    """The pattern of a path, to be matched as a whole, with a group for each of its names."""
    fixed = path[:-1] if path.endswith("/*") else path
    pattern = "".join(
        f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[a-z_]+\})", fixed)
    )
    return re.compile(pattern if fixed == path else pattern + ".+")
