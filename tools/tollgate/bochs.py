# SPDX-License-Identifier: MIT
"""Bochs' configuration file and command line. It has no loader of its own: it boots an ISO."""
import os
import re
import subprocess

PROGRAM = "bochs"
_IPS = 100_000_000  # one instruction takes 10 ns of virtual time


def config(boot, iso):
    """The text of the rc file. Port 0xe9 appears on standard output, the log in bochs.log."""
    return "\n".join([
        'display_library: rfb, options="timeout=0"',
        f"memory: guest={boot.memory}, host={boot.memory}",
        "romimage: file=/usr/share/bochs/BIOS-bochs-latest",
        "vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest",
        f"cpu: model={boot.host.cpu}, count={boot.smp}, ips={_IPS}, reset_on_triple_fault=0",
        "clock: sync=none, time0=1700000000",
        "ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14",
        f'ata0-master: type=cdrom, path="{iso}", status=inserted',
        "boot: cdrom",
        "port_e9_hack: enabled=1",
        "log: bochs.log",
        "panic: action=fatal",
        "error: action=ignore",
        "info: action=ignore",
        "debug: action=ignore",
        ""])


def command(boot, iso, folder):
    """Writes the files Bochs needs into folder; returns the arguments that run the boot there."""
    for name, text in (("bochsrc", config(boot, iso)), ("go", "c\n")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return [PROGRAM, "-q", "-f", "bochsrc", "-rc", "go"]


def version():
    """The emulator's own words, "unknown" when it is not installed."""
    try:
        text = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
    except OSError:
        return "unknown"
    found = re.search(r"Bochs x86 Emulator \S+", text.stdout + text.stderr)
    return found[0] if found else "unknown"
