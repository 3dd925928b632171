# SPDX-License-Identifier: MIT
"""Guests of all kinds: payloads, raw images, terrible ones beside good ones."""
import machines
import pytest
from machines import File, Run, tollgate, vm
from platforms import BOTH_EMULATORS


def on(platforms, make):
    """Parameters: one Run per platform."""
    return [pytest.param(p, id=p.host, marks=pytest.mark.boots(make(p))) for p in platforms]


@pytest.mark.boots(Run(modules=(File("hello.elf", "some words"),)))
def test_without_a_manifest_the_first_module_is_a_vm(boot):
    """Its name, its command line, 256 MiB; newlib works."""
    assert boot.status == 1, str(boot)
    assert boot.record("vm")["memory"] == 256 << 20
    assert boot.end("hello.elf") == ("poweroff", 0)
    text = boot.log("hello.elf")
    assert "argv[0] = hello.elf\nargv[1] = some\nargv[2] = words\n" in text
    assert "sqrt(2) = 1.414213562373095" in text
    assert "heap works, math works, time works" in text


@pytest.mark.parametrize("loop", [pytest.param(
    loop, marks=pytest.mark.boots(tollgate(vm("devices", loop=loop)))) for loop in ("plain", "measure")])
def test_devices_behave_as_the_chips(loop, boot):
    """The payload's sixteen checks, in both loops."""
    del loop
    lines = boot.text["devices"]
    assert [line for line in lines if not line.startswith("PASS ")] == [], str(boot)
    assert len(lines) == 16 and boot.end("devices") == ("poweroff", 0)


AWKWARD = ("unknown", "mmio_plain", "tf_cpuid", "sti_cpuid", "cross_page_cpuid", "smc_cpuid",
           "recycled")
# What Bochs is left out of, and why.
NOT_ON_BOCHS = {
    "tf_cpuid": "under its AMD-V, DR6.BS stays clear in a #DB that the guest takes itself",
    "sti_cpuid": "under its AMD-V, a guest entered with IF = 0 keeps physical interrupts out until IF changes",
}


@pytest.mark.parametrize("platform", on(BOTH_EMULATORS, lambda p: tollgate(
    *(vm("faults", fault, name=fault, memory="24M") for fault in AWKWARD), host=p.host)))
@pytest.mark.parametrize("fault", AWKWARD)
def test_awkward_guest_runs_right(platform, fault, boot):
    """CPUID in awkward places, refused instructions, device memory, recycled memory."""
    if platform.host.startswith("bochs") and fault in NOT_ON_BOCHS:
        pytest.skip(NOT_ON_BOCHS[fault])
    assert boot.text.get(fault) == [f"PASS {fault}"], str(boot)
    assert boot.end(fault) == ("poweroff", 0)


FATAL = {"triple_fault": ("triple_fault", "triple fault"),
         "hlt_forever": ("halted", "HLT with interrupts off"),
         "scribble_page_tables": ("fault", "guest page tables outside guest memory"),
         "mmio_weird": ("fault", "instruction on device memory that is not emulated")}
# Bochs 2.7 panics at a guest's triple fault before it looks at the intercept.
FATAL_ON = {p: [f for f in FATAL if f != "triple_fault" or p.host.startswith("qemu")]
            for p in BOTH_EMULATORS}


@pytest.mark.parametrize("platform", on(BOTH_EMULATORS, lambda p: tollgate(
    *(vm("faults", fault, name=fault, memory="24M", loop="measure") for fault in FATAL_ON[p]),
    vm("exits", "iterations=100", name="good"), host=p.host)))
def test_bad_guest_ends_alone_with_a_reason(platform, boot):
    """Each for its reason; the good VM and the host come to their orderly end."""
    assert boot.status == 1, str(boot)
    for fault in FATAL_ON[platform]:
        reason, detail = FATAL[fault]
        end = boot.record("vm_end", name=fault)
        assert end["reason"] == reason and detail in end["detail"], end
    assert boot.end("good") == ("poweroff", 0)
    assert boot.record("done", "good")["status"] == 0
    assert boot.record("account")["closed"]
    assert boot.record("end")["reason"] == "all VMs ended"


@pytest.mark.boots(tollgate(vm("faults", "hammer_ports", name="hammer"),
                            vm("exits", "iterations=100", name="good"), timeout=200))
def test_a_million_random_accesses_do_no_harm(boot):
    """Ports and MSRs at random; beside it another VM goes on."""
    assert boot.status == 1, str(boot)
    assert "PASS hammer_ports" in boot.text["hammer"]
    assert boot.end("hammer") == boot.end("good") == ("poweroff", 0)


def raw(mode, load):
    """A VM of a raw image in this mode."""
    return tollgate((mode, {"memory": "8M", "image": mode, "format": "raw", "load": load,
                            "start": mode}), files=(File(mode, source=mode),))


@pytest.mark.parametrize("mode", [
    pytest.param(mode, marks=pytest.mark.boots(raw(mode, load)))
    for mode, load in (("real", "0x7c00"), ("protected", "0x100000"), ("long", "0x200000"))])
def test_raw_image_starts_in_its_mode(mode, boot):
    """It writes its letter and 7 to the exit port."""
    assert boot.text.get(mode) == [mode[0].upper()], str(boot)
    assert boot.end(mode) == ("exit_port", 7)


@pytest.mark.boots(tollgate(("k", {"memory": "8M", "image": "kludge"}),
                            files=(File("kludge", source="kludge"),)))
def test_multiboot_address_fields_work(boot):
    """An image that is no ELF, entered with the loader's magic."""
    assert boot.text.get("k") == ["K"] and boot.end("k") == ("exit_port", 7), str(boot)


@pytest.mark.boots(tollgate(
    vm("faults", "recycled", name="first", memory="24M"),
    ("looks", {"memory": "8M", "image": "zero", "format": "raw", "load": "0x100000",
               "start": "protected"}), files=(File("zero", source="zero"),), loader="bios"))
def test_memory_reads_zero_after_firmware_and_guests(boot):
    """What GRUB, the BIOS and another VM left is gone."""
    assert boot.text.get("looks") == ["Z"], str(boot)
    assert boot.text.get("first") == ["PASS recycled"]


SMP = {"one by one": tollgate(vm("smp", "count=2000", vcpus=3, quantum=1000)),
       "icount": tollgate(vm("smp", "count=10000", vcpus=4), smp=4, exact=True),
       "free": tollgate(vm("smp", "count=10000", vcpus=4), smp=4),
       "bochs": tollgate(vm("smp", "count=10000", vcpus=2), smp=2, host="bochs-ryzen", exact=False)}


@pytest.mark.parametrize("how", [pytest.param(k, marks=pytest.mark.boots(r))
                                 for k, r in SMP.items()])
def test_vcpus_of_one_vm_share_memory(how, boot):
    """Each counts, locked additions lose nothing; on one CPU they take turns."""
    vcpus = {"one by one": 3, "bochs": 2}.get(how, 4)
    assert boot.text.get("smp") == [f"PASS smp {vcpus}"], str(boot)
    assert len(boot.records("smp")) == vcpus
    assert boot.end("smp") == ("poweroff", 0)


def example(name, **files):
    """A manifest of hv/load/examples, with the files it names."""
    with open(f"{machines.ROOT}/hv/load/examples/{name}", "rb") as file:
        text = file.read()
    return Run(modules=(File(name, content=text), *files.values()), timeout=150)


@pytest.mark.boots(example("exits.toll", exits=File("exits.elf")))
def test_example_exits_runs(boot):
    """The example measures."""
    assert boot.end("exits") == ("poweroff", 0), str(boot)
    assert boot.records("exits")


@pytest.mark.boots(example("two.toll", exits=File("exits.elf")))
def test_example_two_runs(boot):
    """Two VMs on a CPU, one plain, one measured."""
    assert boot.end("plain") == boot.end("measured") == ("poweroff", 0), str(boot)


@pytest.mark.boots(example("raw.toll", boot=File("boot.img", source="real")))
def test_example_raw_runs(boot):
    """A boot sector."""
    assert boot.end("sector") == ("exit_port", 7), str(boot)
