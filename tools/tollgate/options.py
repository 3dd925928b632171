# SPDX-License-Identifier: MIT
"""The command line's shared options, and what they mean for a boot."""
import os

from tollgate import Refused, hosts, machine, manifest, store

IMAGE = os.path.join(store.REPOSITORY, "build", "tollgate.elf")
PAYLOADS = os.path.join(store.REPOSITORY, "build", "guest")
ISO_CACHE = os.path.join(store.REPOSITORY, "build", "iso")
RESULTS = os.path.join(store.REPOSITORY, "results")
_SPARE = 192  # MiB a host keeps beyond its VMs' memory


def positive(text):
    """argparse type: an integer above zero."""
    value = int(text)
    if value <= 0:
        raise ValueError(text)
    return value


def add_machine(parser):
    """Adds the options that choose the machine."""
    group = parser.add_argument_group("machine")
    group.add_argument("--host", default=hosts.DEFAULT, metavar="NAME",
                       help=f"emulated machine, see `toll hosts` (default {hosts.DEFAULT})")
    group.add_argument("--smp", type=positive, default=1, metavar="N", help="CPUs (default 1)")
    group.add_argument("--memory", type=positive, metavar="MIB",
                       help="the host's memory (default 512, more if the VMs ask for more)")
    group.add_argument("--loader", choices=machine.LOADERS, default=machine.DIRECT,
                       help="how it is booted: by the emulator itself, or from an ISO with GRUB "
                            "on BIOS or UEFI (default direct; Bochs always takes an ISO)")
    group.add_argument("--icount", choices=("auto", "on", "off"), default="auto",
                       help="count instructions exactly (auto: with one CPU, but not on UEFI)")
    group.add_argument("--image", default=IMAGE, metavar="FILE",
                       help="Tollgate (default build/tollgate.elf)")
    group.add_argument("--append", default="", metavar="TEXT",
                       help="words for Tollgate's own command line")
    group.add_argument("--timeout", type=float, default=600, metavar="S",
                       help="seconds of wall time after which it is stopped (default 600)")


def add_vm(parser):
    """Adds the options that shape the VM."""
    group = parser.add_argument_group("virtual machine")
    group.add_argument("--module", action="append", default=[], metavar="FILE",
                       help="a module for the guest; words after the file name are its arguments")
    group.add_argument("--cmdline", default="", metavar="TEXT", help="the guest's command line")
    group.add_argument("--vm", action="append", default=[], metavar="KEY=VALUE",
                       help="a line for the VM's section of the manifest; may repeat")
    group.add_argument("--machine", action="append", default=[], metavar="KEY=VALUE",
                       help="a line for the manifest's section [machine]; may repeat")


def parse_module(text):
    """The machine.Module of a --module argument."""
    path, args = text, ""
    if not os.path.exists(path):
        path, _, args = text.partition(" ")
    if not os.path.isfile(path):
        raise Refused(f"--module {text!r}: no such file")
    return machine.Module(path, machine.module_name(path), args.strip())


def vm_settings(options, image, defaults):
    """The lines of a VM's section for the guest image (a machine.Module) and the options."""
    settings = [*defaults, ("image", image.name)]
    if options.cmdline:
        settings.append(("cmdline", options.cmdline))
    modules = [("module", parse_module(text).cmdline) for text in options.module]
    given = [manifest.parse_setting(text) for text in options.vm]
    return manifest.merge(settings + modules, given)


def exact(options, host):
    """Whether the boot counts instructions."""
    if not host.exact or options.icount == "off":
        return False
    # OVMF never hands over under QEMU's -icount with sleep=off.
    return options.icount == "on" or (options.smp == 1 and options.loader != machine.UEFI)


def make_boot(options, host, kernel, *, text=None, modules=(), cmdline=""):
    """The machine.Boot. text: the manifest, whose VMs' memory the host must have."""
    loader = options.loader
    if host.emulator == "bochs":
        if loader == machine.UEFI:
            raise Refused(f"{host.name} has a BIOS only: --loader bios")
        loader = machine.BIOS
    memory = options.memory
    if memory is None:
        memory = max(host.memory, (manifest.megabytes(text) if text else 0) + _SPARE)
    return machine.Boot(host, kernel, cmdline, tuple(modules), options.smp, memory,
                        loader, exact(options, host),
                        "auto" if text is not None else "multiboot")
