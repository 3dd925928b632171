# SPDX-License-Identifier: MIT
"""Ways to boot: loaders, numbers of CPUs, consoles; and machines that Tollgate must refuse."""
import pytest
from machines import Run, File, tollgate, vm

REFUSED = 253  # QEMU's status for HOST_EXIT_UNFIT, 126

SHORT = "iterations=50"


def good(boot, cpus, name="exits"):
    """The boot ran its payload to the end on so many CPUs."""
    assert not boot.corrupt, str(boot)
    assert boot.record("host")["cpus"] == cpus, str(boot)
    assert boot.record("done", name)["status"] == 0, str(boot)
    assert boot.end(name) == ("poweroff", 0)
    assert len(boot.records("account")) == cpus
    for record in boot.records("account"):
        assert record["closed"] and sum(record["accounts"].values()) == record["elapsed"]
    assert boot.record("end")["reason"] == "all VMs ended"


@pytest.mark.parametrize("cpus,exact", [
    pytest.param(n, exact, id=f"{n}-{'icount' if exact else 'free'}", marks=pytest.mark.boots(
        tollgate(vm("exits", SHORT), smp=n, exact=exact)))
    for n in (2, 4, 8) for exact in (True, False)])
def test_all_cpus_start(cpus, exact, boot):
    """2, 4 and 8 CPUs, counting instructions and not."""
    del exact
    good(boot, cpus)
    assert boot.status == 1


@pytest.mark.boots(*(tollgate(vm("exits", SHORT, name="a", cpus="0"),
                              vm("exits", SHORT, name="b", cpus="1"), smp=2, exact=False,
                              timeout=60 + i) for i in range(3)))
def test_two_vms_on_two_cpus_end_right(boot):
    """Without icount, three times: races show now or never."""
    for one in boot:
        for name in ("a", "b"):
            good(one, 2, name)


@pytest.mark.parametrize("loader", [pytest.param(loader, marks=pytest.mark.boots(
    tollgate(vm("exits", SHORT), smp=8, loader=loader, exact=False))) for loader in ("bios", "uefi")])
def test_iso_boots_with_eight_cpus(loader, boot):
    """GRUB on a BIOS (multiboot 1) and on OVMF (multiboot 2)."""
    del loader
    good(boot, 8)
    assert "GRUB" in boot.record("host")["loader"]


@pytest.mark.boots(tollgate(vm("exits", SHORT), loader="bios", protocol="multiboot2"))
def test_multiboot_2_on_a_bios(boot):
    """GRUB sets a graphics mode; the framebuffer console is used."""
    good(boot, 1)


@pytest.mark.boots(tollgate(vm("exits", SHORT), console="serial"),
                   tollgate(vm("exits", SHORT)))
def test_serial_line_carries_the_same_records(boot):
    """Without port 0xe9: the same benchmarks, nothing corrupt."""
    serial, debugcon = boot
    good(serial, 1)
    assert ({r["name"] for r in serial.records("bench")}
            == {r["name"] for r in debugcon.records("bench")})


def refusal(**options):
    """A machine that is no good."""
    return tollgate(vm("hello"), timeout=30, **options)


@pytest.mark.parametrize("why", [
    pytest.param("no AMD-V", marks=pytest.mark.boots(refusal(host="qemu-nosvm"))),
    pytest.param("64-bit processor", marks=pytest.mark.boots(refusal(cpu="qemu32"))),
    pytest.param("64-bit processor", marks=pytest.mark.boots(refusal(cpu="pentium3")), id="pentium3"),
    pytest.param("no nested paging", marks=pytest.mark.boots(refusal(host="qemu-opteron-g2-nonpt"))),
    pytest.param("too little memory", marks=pytest.mark.boots(refusal(memory=2))),
    pytest.param("too little memory", marks=pytest.mark.boots(refusal(memory=8)), id="8 MiB"),
    pytest.param("more than the host has", marks=pytest.mark.boots(refusal(memory=64))),
    pytest.param("no modules: ", marks=pytest.mark.boots(Run(timeout=30))),
])
def test_unfit_machine_is_refused(why, boot):
    """A clear message and the exit status for it; no VM begins."""
    assert boot.status == REFUSED, str(boot)
    assert why in boot.log(), str(boot)
    assert not boot.records("vm")


with open("/proc/self/exe", "rb") as _file:
    OTHER_ELF = _file.read(4096)  # begins like an ELF, is cut off, has no multiboot header


@pytest.mark.parametrize("image", [
    pytest.param(b"\x7fELF", id="four bytes"),
    pytest.param(OTHER_ELF, id="no header"),
    pytest.param(b"\x02\xb0\xad\x1b\0\0\0\0\xfe\x4f\x52\xe4" + bytes(64), id="header without ELF"),
    pytest.param("cut", id="cut off"),
])
def test_malformed_image_is_refused(image):
    """Each with a reason that names the VM; nothing runs."""
    import machines  # pylint: disable=import-outside-toplevel
    if image == "cut":
        with open(machines.payload("hello"), "rb") as file:
            image = file.read(9000)
    boot = machines.result(tollgate(("bad", {"memory": "8M", "image": "bad"}),
                                    files=(File("bad", content=image),), timeout=30))
    assert boot.status == REFUSED, str(boot)
    assert "error: vm bad: " in boot.log(), str(boot)


MISTAKES = """[vm a]
memory = 16M
image = absent.elf
speed = fast
memory = 32M
loop = quick
[vm a]
image = hello.elf
cpus = 7
"""


@pytest.mark.boots(Run(modules=(File("bad.toll", content=MISTAKES.encode()), File("hello.elf")),
                       timeout=30))
def test_every_mistake_of_a_manifest_is_told(boot):
    """With file and line, and what is accepted; nothing starts."""
    assert boot.status == REFUSED, str(boot)
    log = boot.log()
    for line, words in ((3, "no such module"), (4, "speed"), (5, "memory"), (6, "plain, measure"),
                        (7, "a"), (9, "no such CPU")):
        told = [text for text in log.splitlines() if f"bad.toll:{line}: " in text]
        assert told and words in told[0], f"line {line}\n{log}"
    assert "nothing started" in log and not boot.records("vm")
