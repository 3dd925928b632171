# SPDX-License-Identifier: MIT
"""One boot of an emulated machine: what to load, on which host, and where its files are staged.

Files are staged under short fixed names, so that neither blanks in a path disturb the loader nor
the length of a path changes an instruction count.
"""
import hashlib
import os
import re
from typing import NamedTuple

from tollgate import Refused
from tollgate.hosts import Host
from tollgate.manifest import NAME_MAX

DIRECT, BIOS, UEFI = "direct", "bios", "uefi"
LOADERS = (DIRECT, BIOS, UEFI)


class Module(NamedTuple):
    """A boot module: a file, the name the hypervisor knows it by, and further words."""
    path: str
    name: str
    args: str = ""

    @property
    def cmdline(self):
        """What the loader hands over with it."""
        return f"{self.name} {self.args}".strip()


def manifest_module(path, name="manifest"):
    """The manifest's module: the word after the name tells the hypervisor what it is."""
    return Module(path, name, "manifest")


class Boot(NamedTuple):
    """What to boot. exact: count instructions (one CPU running)."""
    host: Host
    kernel: str
    cmdline: str = ""
    modules: tuple = ()
    smp: int = 1
    memory: int = 512
    loader: str = DIRECT
    exact: bool = True
    protocol: str = "auto"  # for GRUB: multiboot2 under UEFI, multiboot under a BIOS


def module_name(path):
    """A name for the file at path that every loader passes on unchanged."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(path)) or "_"
    if len(name) > NAME_MAX:
        name = name[:NAME_MAX - 9] + "-" + hashlib.sha256(name.encode()).hexdigest()[:8]
    return name


def check_files(kernel, modules):
    """Refuses files that are missing and modules whose names clash."""
    seen = set()
    for module in modules:
        if module.name in seen:
            raise Refused(f"two modules are called {module.name!r}")
        seen.add(module.name)
    for path in [kernel, *(m.path for m in modules)]:
        if not os.path.isfile(path):
            raise Refused(f"{path}: no such file")


def stage(boot, folder):
    """Links the boot's files into folder under their names; returns the boot with those paths."""
    check_files(boot.kernel, boot.modules)
    kernel = module_name(boot.kernel)
    if any(module.name == kernel for module in boot.modules):
        kernel = "kernel"
    os.symlink(os.path.abspath(boot.kernel), os.path.join(folder, kernel))
    staged = []
    for module in boot.modules:
        os.symlink(os.path.abspath(module.path), os.path.join(folder, module.name))
        staged.append(module._replace(path=module.name))
    return boot._replace(kernel=kernel, modules=tuple(staged))
