# SPDX-License-Identifier: MIT
"""Starts the machines that the chosen tests need, two at a time, and hands each test its result.

A test names what it looks at: @pytest.mark.boots(RUN), and gets the Result as the fixture `boot`
(with several Runs: a tuple). Runs begin in the order of the tests.
"""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, HERE)

import machines  # noqa: E402  pylint: disable=wrong-import-position


def pytest_configure(config):
    """Registers the mark."""
    config.addinivalue_line("markers", "boots(*runs): the machines that the test looks at")


def _runs(item):
    mark = item.get_closest_marker("boots")
    return mark.args if mark else ()


def pytest_collection_finish(session):
    """Queues the machines of all chosen tests."""
    if session.config.option.collectonly:
        return
    if not os.path.exists(machines.IMAGE):
        pytest.exit(f"{machines.IMAGE} is not built: run make", returncode=2)
    for item in session.items:
        for run in _runs(item):
            machines.start(run)


def pytest_sessionfinish():
    """Ends the queue, also after -x and after an interrupt."""
    machines.stop()


@pytest.fixture
def boot(request):
    """The Result of the test's Run, or a tuple of them."""
    results = tuple(machines.result(run) for run in _runs(request.node))
    return results[0] if len(results) == 1 else results
