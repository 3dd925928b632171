# SPDX-License-Identifier: MIT
"""QEMU's command line."""
import os
import subprocess

from tollgate import Refused
from tollgate.machine import DIRECT, UEFI

PROGRAM = "qemu-system-x86_64"
_OVMF = ("/usr/share/ovmf/OVMF.fd", "/usr/share/OVMF/OVMF.fd", "/usr/share/edk2/ovmf/OVMF.fd")


def _comma(text):
    """Escapes text for a QEMU option that ends at a comma."""
    return text.replace(",", ",,")


def _ovmf():
    for path in _OVMF:
        if os.path.exists(path):
            return path
    raise Refused("UEFI needs the firmware OVMF: install the package ovmf")


def _loading(boot, iso):
    if boot.loader != DIRECT:
        firmware = ["-bios", _ovmf()] if boot.loader == UEFI else []
        return firmware + ["-boot", "d", "-cdrom", iso]
    arguments = ["-kernel", boot.kernel]
    if boot.cmdline:
        arguments += ["-append", boot.cmdline]
    if boot.modules:
        arguments += ["-initrd", ",".join(_comma(m.cmdline) for m in boot.modules)]
    return arguments


def command(boot, iso=None):
    """The arguments that run a staged boot; the console comes out on standard output."""
    kvm = boot.host.emulator == "kvm"
    arguments = [PROGRAM, "-accel", "kvm" if kvm else "tcg", "-cpu", boot.host.cpu,
                 "-smp", str(boot.smp), "-m", str(boot.memory)]
    if boot.exact and not kvm:
        arguments += ["-icount", "shift=0,sleep=off"]
    arguments += ["-rtc", "base=2026-01-01,clock=vm", "-seed", "1", "-nodefaults",
                  "-display", "none", "-no-reboot",
                  "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-debugcon", "stdio"]
    return arguments + _loading(boot, iso)


def version():
    """The emulator's own words, "unknown" when it is not installed."""
    try:
        text = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
        return text.stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"
