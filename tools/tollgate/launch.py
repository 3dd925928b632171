# SPDX-License-Identifier: MIT
"""Runs one boot in its emulator and hands over the console bytes as they arrive."""
import os
import re
import selectors
import signal
import subprocess
import tempfile
import time
from typing import NamedTuple, Optional

from tollgate import Refused, bochs, iso, machine, qemu

_GRACE = 10  # seconds an emulator may take to leave after the last record


# What QEMU says on every start when a CPU model has more than it emulates, and Bochs of itself.
_NOISE = re.compile(r"TCG doesn't support requested feature|^\d+i\[|^ALSA lib |^=+$")


class Outcome(NamedTuple):
    """How the emulator ended. status: its exit status, None when it was stopped from here.

    errors: what it wrote to standard error, without its usual warnings."""
    status: Optional[int]
    timed_out: bool
    interrupted: bool
    seconds: float
    command: list
    errors: str


def version(host):
    """The emulator's version string."""
    return bochs.version() if host.emulator == "bochs" else qemu.version()


def _command(boot, folder, cache):
    staged = machine.stage(boot, folder)
    image = None
    if staged.loader != machine.DIRECT:
        image = iso.build(staged, folder, cache)
    if staged.host.emulator == "bochs":
        return bochs.command(staged, image, folder)
    return qemu.command(staged, image)


def _stop(process):
    """Ends the emulator, if it still runs, and what it started."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(2)
            return
        except subprocess.TimeoutExpired:
            pass


def _wait(process):
    """The status of an emulator whose console has closed; None when it stays on."""
    try:
        return process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        return None


def _pump(process, take, timeout):
    """Feeds the console to take(). Returns (timed out, whether the emulator still runs)."""
    deadline, timed_out = time.monotonic() + timeout, True
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if not selector.select(left):
                continue
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                return False, False
            if take(data) and timed_out:
                timed_out = False
                deadline = min(deadline, time.monotonic() + _GRACE)
    return timed_out, True


def run(boot, take, timeout, cache):
    """Runs the boot for at most timeout seconds of wall time.

    take(bytes) gets the console; it returns True once nothing more is expected, after which the
    emulator has a few seconds to leave by itself. cache: folder for ISO images.
    """
    with tempfile.TemporaryDirectory(prefix="toll-") as folder, \
            tempfile.TemporaryFile() as errors:
        arguments = _command(boot, folder, cache)
        begun = time.monotonic()
        try:
            process = subprocess.Popen(arguments, cwd=folder, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=errors,
                                       start_new_session=True)
        except FileNotFoundError:
            raise Refused(f"{arguments[0]} is not installed: run tools/setup run test") from None
        status, timed_out, interrupted = None, False, False
        try:
            timed_out, kill = _pump(process, take, timeout)
            if not kill:
                status = _wait(process)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            _stop(process)
            process.stdout.close()
            process.wait()
        errors.seek(0)
        said = errors.read().decode(errors="replace").splitlines(keepends=True)
        return Outcome(status, timed_out, interrupted, time.monotonic() - begun, arguments,
                       "".join(line for line in said if not _NOISE.search(line)))
