# SPDX-License-Identifier: MIT
"""Runs one boot with a Reader on its console: log kept, records collected, events passed on."""
from tollgate import launch, reader
from tollgate.collect import Collector


class Listener:
    """Hears of everything while it happens; this one does nothing."""

    def event(self, event, problem):
        """A reader event; problem: what is wrong with it, or None."""

    def fed(self, console):
        """Some bytes were taken; console: the Reader, for its pending text."""


class Session:
    """One boot under way. names: the VMs; console: binary file that keeps the raw stream."""

    def __init__(self, platform, names, *, console=None, listener=None):
        self.collector = Collector(platform)
        self._reader = reader.Reader(names)
        self._console = console
        self._listener = listener or Listener()

    def take(self, data):
        """Takes console bytes; returns True once the last record has come."""
        if self._console:
            self._console.write(data)
            self._console.flush()
        self._pass_on(self._reader.feed(data))
        self._listener.fed(self._reader)
        return self.collector.over()

    def finish(self):
        """The stream has ended."""
        self._pass_on(self._reader.finish())

    def _pass_on(self, events):
        for event in events:
            self._listener.event(event, self.collector.add(event))

    def run(self, boot, timeout, cache):
        """Boots and reads to the end; returns the launch.Outcome."""
        try:
            return launch.run(boot, self.take, timeout, cache)
        finally:
            self.finish()
