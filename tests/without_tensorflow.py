"""`pytest --without-tensorflow` skips tests and files that import TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import pytest

LIBRARIES = ("tensorflow", "tf_keras")


class SkipsImports(MetaPathFinder):
    """Skips the test or file in which an import of TensorFlow happens."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if name.partition(".")[0] in LIBRARIES:
            pytest.skip("imports TensorFlow", allow_module_level=True)
