# SPDX-License-Identifier: MIT
"""Writes manifests for the hypervisor, and finds in one what files it needs.

The hypervisor alone judges a manifest: keys and values pass through here unchecked.
"""
import re

from tollgate import Refused

_SECTION = re.compile(r"\[\s*(machine|vm\s+(\S+?))\s*\]")
NAME_MAX = 31
MARK = "#tollgate\n"  # a manifest's first line


def parse_setting(text):
    """("key", "value") of a KEY=VALUE argument."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or "\n" in text:
        raise Refused(f"{text!r} is not KEY=VALUE")
    return key.strip(), value.strip()


def merge(defaults, settings):
    """settings over defaults: [(key, value)]; a key given replaces the default, may repeat."""
    given = {key for key, _ in settings}
    return [pair for pair in defaults if pair[0] not in given] + list(settings)


def render(vms, machine=()):
    """The manifest's text. vms: [(name, [(key, value)])], machine: [(key, value)]."""
    sections = [("machine", machine)] if machine else []
    sections += [(f"vm {name}", settings) for name, settings in vms]
    return MARK + "\n".join(
        f"[{title}]\n" + "".join(f"{key} = {value}\n" for key, value in settings)
        for title, settings in sections)


def _settings(text):
    """Yields (vm name or None, key, value)."""
    vm = None
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        section = _SECTION.fullmatch(line)
        if section:
            vm = section[2]
        elif "=" in line:
            key, _, value = line.partition("=")
            yield vm, key.strip(), value.strip()


def vm_names(text):
    """The VMs' names, in order."""
    found = (_SECTION.fullmatch(line.split("#")[0].strip()) for line in text.splitlines())
    return [m[2] for m in found if m and m[2]]


def module_names(text):
    """Names of the boot modules that the manifest's VMs want, each once."""
    words = (value.split()[0] for vm, key, value in _settings(text)
             if vm is not None and key in ("image", "module") and value)
    return list(dict.fromkeys(words))


def megabytes(text):
    """The MiB that all VMs ask for together; what cannot be read counts nothing."""
    total = 0
    for vm, key, value in _settings(text):
        size = re.fullmatch(r"(\d+)\s*([kKmMgG]?)", value)
        if vm is not None and key == "memory" and size:
            total += int(size[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[size[2].lower()]
    return total >> 20
