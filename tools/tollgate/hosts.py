# SPDX-License-Identifier: MIT
"""The emulated machines one may choose with HOST=."""
from typing import NamedTuple, Optional

from tollgate import Refused


class Host(NamedTuple):
    """One machine. ns_per_tick: virtual time of one TSC tick when the emulator runs exactly."""
    name: str
    emulator: str                     # qemu, bochs, or kvm (QEMU with -accel kvm)
    cpu: str                          # as the emulator names it
    virtualization: str               # what the CPU offers to a hypervisor
    description: str
    memory: int = 512                 # MiB
    ns_per_tick: Optional[int] = None

    @property
    def exact(self):
        """Whether one tick is one instruction while one CPU runs."""
        return self.ns_per_tick is not None


def _qemu(name, cpu, virtualization, description):
    return Host("qemu-" + name, "qemu", cpu, virtualization, description, ns_per_tick=1)


def _bochs(name, cpu, virtualization, description):
    return Host("bochs-" + name, "bochs", cpu, virtualization, description, ns_per_tick=10)


DEFAULT = "qemu-epyc"

HOSTS = (
    _qemu("epyc", "EPYC,+svm,+npt", "AMD-V, NPT", "AMD EPYC (Zen); the default"),
    _qemu("epyc-milan", "EPYC-Milan,+svm,+npt", "AMD-V, NPT", "AMD EPYC (Zen 3)"),
    _qemu("opteron-g3", "Opteron_G3,+svm,+npt", "AMD-V, NPT", "AMD Opteron of 2009"),
    _qemu("opteron-g2-nonpt", "Opteron_G2,+svm,-npt", "AMD-V",
          "AMD Opteron of 2006, no nested paging"),
    _qemu("max", "max,+svm", "AMD-V, NPT", "everything the emulator can do"),
    _qemu("nosvm", "EPYC,-svm", "none", "no virtualization: Tollgate must refuse it"),
    _bochs("ryzen", "ryzen", "AMD-V, NPT, NRIPS", "AMD Ryzen (Zen)"),
    _bochs("trinity", "trinity_apu", "AMD-V, NPT", "AMD A8 of 2012"),
    _bochs("zambezi", "zambezi", "AMD-V, NPT", "AMD FX of 2011"),
    _bochs("phenom", "phenom_8650_toliman", "AMD-V, NPT", "AMD Phenom of 2008"),
    _bochs("turion64", "turion64_tyler", "AMD-V", "AMD Turion of 2007, no nested paging"),
    _bochs("skylake-x", "corei7_skylake_x", "VT-x, EPT", "Intel Core i7 of 2017"),
    _bochs("haswell", "corei7_haswell_4770", "VT-x, EPT", "Intel Core i7 of 2013"),
    _bochs("lynnfield", "corei5_lynnfield_750", "VT-x, EPT",
           "Intel Core i5 of 2009, no unrestricted guest"),
    _bochs("penryn", "core2_penryn_t9600", "VT-x", "Intel Core 2 of 2008, no EPT"),
    Host("kvm", "kvm", "host", "as the machine below", "this machine's CPU, nested under KVM"),
)


def _key(name):
    return name.strip().lower().replace("_", "-")


def find(name):
    """The host called name; case and the emulator's prefix may be left out."""
    table = {}
    for host in HOSTS:
        table[_key(host.name)] = host
        table[_key(host.name.partition("-")[2] or host.name)] = host
        table.setdefault(_key(host.cpu.partition(",")[0]), host)
    try:
        return table[_key(name)]
    except KeyError:
        names = ", ".join(h.name for h in HOSTS)
        raise Refused(f"no host is called {name!r}; there are: {names}") from None


def render():
    """The table for `toll hosts`."""
    rows = [("HOST", "CPU", "VIRTUALIZATION", "DESCRIPTION")]
    rows += [(h.name, f"{h.emulator} {h.cpu}", h.virtualization, h.description) for h in HOSTS]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return "".join(f"{a:{widths[0]}}  {b:{widths[1]}}  {c:{widths[2]}}  {d}\n"
                   for a, b, c, d in rows)
