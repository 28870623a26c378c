"""The proofs: long runs are started by name (`pytest -m slow`), the rest belongs to everybody's test run."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long runs out, unless `-m` speaks of them or one is named."""
    asked = "slow" in config.getoption("markexpr") or any("::" in argument for argument in config.args)
    if not asked:
        long = [item for item in items if HERE in item.path.parents and item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
