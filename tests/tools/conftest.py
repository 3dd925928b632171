# SPDX-License-Identifier: MIT
"""Paths for the tools' tests, and the synthetic boots that several of them use."""
import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
for folder in ("tools", os.path.join("tools", "check"), os.path.join("tests", "tools")):
    sys.path.insert(0, os.path.join(ROOT, folder))


@pytest.fixture
def root():
    """The project's root."""
    return ROOT
