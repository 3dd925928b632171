# SPDX-License-Identifier: MIT
"""`toll boot`: any guest image in a VM, its console on standard output."""
import os
import sys
import tempfile

from tollgate import hosts, machine, manifest, options, reader
from tollgate.collect import ORDERLY, TOLLGATE
from tollgate.session import Listener, Session

FAULT, TIMEOUT, BROKEN = 125, 124, 126
_VM = "guest"
_DEFAULTS = [("memory", "128M")]
_TAIL = 40  # lines of the hypervisor's log shown after a failure


class GuestConsole(Listener):
    """Copies the guest's text to out as it comes, unfinished lines included."""

    def __init__(self, out, log=None):
        self._out = out
        self._log = log  # where Tollgate's own lines and all records go; None: nowhere
        self._shown = 0

    def event(self, event, problem):
        """Guest lines to out, Tollgate's to the log, problems to standard error."""
        if problem:
            print(f"toll: {problem}", file=sys.stderr)
        if isinstance(event, reader.Line) and event.source == _VM:
            self._write(event.text[self._shown:] + (b"" if event.partial else b"\n"))
            self._shown = 0
        elif self._log and isinstance(event, reader.Line):
            print(event.text.decode(errors="replace"), file=self._log, flush=True)
        elif self._log and isinstance(event, reader.Record):
            print(f"{event.source or 'tollgate'}: {event.value}", file=self._log, flush=True)

    def fed(self, console):
        """Shows what there is of the line now being written."""
        text = console.pending(_VM)
        if len(text) > self._shown:
            self._write(text[self._shown:])
            self._shown = len(text)

    def _write(self, data):
        self._out.write(data)
        self._out.flush()


def exit_status(collector, timed_out):
    """(status, message or None) from what the hypervisor said of the VM's end."""
    ends = collector.records("vm_end")
    if not ends:
        if timed_out:
            return TIMEOUT, "stopped at the time limit"
        return BROKEN, "the hypervisor did not bring the VM to an end"
    end = ends[0]
    reason = end.get("reason")
    if reason not in ORDERLY:
        return FAULT, f"the VM was stopped: {reason}: {end.get('detail', '')}".rstrip(": ")
    if reason == "poweroff":
        return 0, None
    return ((int(end.get("value") or 0) << 1) | 1) & 0xff, None


def _prepare(opts, folder):
    """Writes the manifest into folder; returns the machine.Boot."""
    host = hosts.find(opts.host)
    image = machine.Module(opts.guest, machine.module_name(opts.guest))
    text = manifest.render([(_VM, options.vm_settings(opts, image, _DEFAULTS))],
                           [manifest.parse_setting(line) for line in opts.machine])
    if opts.verbose:
        print(text, file=sys.stderr)
    path = os.path.join(folder, "manifest")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    modules = [options.parse_module(word)._replace(args="") for word in opts.module]
    return options.make_boot(opts, host, opts.image, text=text, cmdline=opts.append,
                             modules=[machine.manifest_module(path), image, *modules])


def main(opts):
    """Runs the command; returns the exit status that `toll boot --help` promises."""
    listener = GuestConsole(sys.stdout.buffer, sys.stderr if opts.verbose else None)
    session = Session(TOLLGATE, {_VM}, listener=listener)
    with tempfile.TemporaryDirectory(prefix="toll-boot-") as folder:
        boot = _prepare(opts, folder)
        outcome = session.run(boot, opts.timeout, options.ISO_CACHE)
    if outcome.interrupted:
        raise KeyboardInterrupt
    status, message = exit_status(session.collector, outcome.timed_out)
    if message:
        if not opts.verbose:
            for line in session.collector.log[-_TAIL:]:
                print(line, file=sys.stderr)
        if status == BROKEN or opts.verbose:
            sys.stderr.write(outcome.errors)
        print(f"toll: {message}", file=sys.stderr)
    return status
