# SPDX-License-Identifier: MIT
"""Runs a boot under QEMU with every executed instruction logged, from the first VM entry on.

Logging everything would take minutes, so the machine is first stopped at the entry by the
emulator's gdb server. Neither changes an instruction count.
"""
import json
import os
import re
import socket
import subprocess
import threading
import time

from tollgate import qemu


class Failed(Exception):
    """The emulator did not do what was asked."""


class _Gdb:
    """The few words of gdb's remote protocol that stop the machine at an address."""

    def __init__(self, path):
        self._socket = _connect(path)

    def _send(self, text):
        self._socket.sendall(b"$%s#%02x" % (text.encode(), sum(text.encode()) & 0xff))

    def _receive(self):
        data = b""
        while not (found := re.search(rb"\$([^#]*)#..", data)):
            more = self._socket.recv(4096)
            if not more:
                raise Failed("the emulator ended before the first VM entry")
            data += more
        self._socket.sendall(b"+")
        return found[1].decode()

    def run_to(self, addresses):
        """Continues until one of the addresses is about to be executed."""
        for address in addresses:
            self._send(f"Z1,{address:x},1")
            if self._receive() != "OK":
                raise Failed("the emulator sets no breakpoint")
        self._send("c")
        if not self._receive().startswith("T05"):
            raise Failed("the machine did not stop at the first VM entry")

    def detach(self):
        """Lets the machine run on."""
        self._send("D")
        self._socket.close()


class _Qmp:
    """QEMU's monitor."""

    def __init__(self, path):
        self._file = _connect(path).makefile("rw", encoding="utf-8")
        self._file.readline()
        self._execute("qmp_capabilities")

    def _execute(self, command, **arguments):
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        while line := self._file.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise Failed(f"the emulator refuses: {answer['error']}")
            if "return" in answer:
                return
        raise Failed("the emulator ended early")

    def monitor(self, command):
        """A command for people."""
        self._execute("human-monitor-command", **{"command-line": command})


def _connect(path, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(path)
            return link
        except OSError:
            link.close()
            if time.monotonic() > deadline:
                raise Failed("the emulator does not answer") from None
            time.sleep(0.02)


def run(boot, folder, entries, take, timeout):
    """Runs the staged boot, with the log on from when one of the addresses entries is reached.

    take(bytes) gets the log: a line for each instruction executed. timeout: seconds of wall time.
    Returns the console's bytes.
    """
    read_end, write_end = os.pipe()
    console = os.path.join(folder, "console")
    arguments = qemu.command(boot) + ["-S", "-D", f"/dev/fd/{write_end}"]
    for option, name in (("-gdb", "gdb"), ("-qmp", "qmp")):
        arguments += [option, f"unix:{os.path.join(folder, name)},server=on,wait=off"]
    with open(console, "wb") as output, subprocess.Popen(
            arguments, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.DEVNULL, pass_fds=[write_end]) as process:
        os.close(write_end)
        timer = threading.Timer(timeout, process.kill)
        timer.start()
        try:
            monitor, gdb = (_Qmp(os.path.join(folder, "qmp")), _Gdb(os.path.join(folder, "gdb")))
            gdb.run_to(entries)
            monitor.monitor("singlestep on")
            monitor.monitor("log exec,nochain")
            gdb.detach()
            while data := os.read(read_end, 1 << 20):
                take(data)
        except OSError as error:
            raise Failed(f"the emulator went away: {error}") from None
        finally:
            if not timer.is_alive():
                raise Failed(f"not done after {timeout} s")
            timer.cancel()
            process.kill()
            os.close(read_end)
    with open(console, "rb") as file:
        return file.read()
