# SPDX-License-Identifier: MIT
"""What the payload exits measures: ceilings of tests/budget, exactness, completeness."""
import struct

import ceilings
import machines
import pytest
from platforms import PLATFORMS
from tollgate import stats
from tollgate.collect import join_parts

# Every operation that issue and README promise a row for.
BENCHES = {
    "exit.empty", "exit.cpuid", "exit.cpuid_66_66", "exit.hypercall", "exit.rdmsr",
    "exit.rdmsr_pass", "exit.wrmsr", "exit.wrmsr_pass", "exit.pio_in", "exit.pio_out",
    "exit.pio_in_absent", "exit.pio_out_absent", "exit.mmio_read", "exit.mmio_write",
    "exit.mmio_lapic_read", "exit.cr0_write", "exit.cr0_read", "exit.cr3_write",
    "exit.cr4_write", "exit.cr8_write", "exit.invlpg", "exit.wbinvd", "exit.hlt_wake",
    "exit.touch", "exit.touch_zero_inline", "exception.ud", "exception.pf", "exception.bp",
    "inject.irq", "ipi.self",
}
WORDS = "iterations=300"
PLAIN = {p: machines.tollgate(machines.vm("exits", WORDS), host=p.host) for p in PLATFORMS}
MEASURED = {p: machines.tollgate(machines.vm("exits", WORDS, loop="measure"), host=p.host)
            for p in PLATFORMS}
NATIVE = machines.Run(native="exits", cmdline="exits.elf " + WORDS)


def figures(boot, source="exits"):
    """{name: summary} of a boot's benchmarks."""
    whole = join_parts([(s, r) for s, r in boot.collector.by_type["bench"] if s == source])
    return {r["name"]: stats.summarize(r["values"]) for _, r in whole}


def each(runs):
    """Parameters from {Platform: Run}; a Run may be a tuple of Runs."""
    return [pytest.param(p, id=p.host, marks=pytest.mark.boots(*(r if type(r) is tuple else (r,))))
            for p, r in runs.items()]


@pytest.mark.parametrize("platform", each(PLAIN))
def test_ceilings_hold(platform, boot):
    """Every ceiling of tests/budget for the host's class, on the plain loop's mean."""
    measured = figures(boot)
    over = [f"{name}: {measured[name]['mean']:.2f} > {ceiling}"
            for name, ceiling in ceilings.of_class(platform.length).items()
            if not name.startswith(("boot.", "image.")) and measured[name]["mean"] > ceiling]
    assert not over, "\n".join(over)


@pytest.mark.parametrize("platform", each(PLAIN))
def test_host_is_of_its_class(platform, boot):
    """The class in platforms.py is what the hypervisor found."""
    host = boot.record("host")
    assert ("nrips" in host["features"]) == (platform.length == "nrips")
    assert host["backend"] == platform.backend
    assert host["ticks_are_instructions"]


@pytest.mark.parametrize("platform", each(PLAIN))
def test_empty_pair_is_two(platform, boot):
    """The harness' own pair, alone and before every sample of every benchmark."""
    assert figures(boot)["exit.empty"] == {**figures(boot)["exit.empty"], "min": 2, "max": 2}
    for record in boot.records("bench"):
        assert {value for value, _ in record["null"]} == {2}, record["name"]


@pytest.mark.parametrize("platform", each({p: (r, MEASURED[p]) for p, r in PLAIN.items()}))
def test_every_benchmark_is_there_or_absent_with_a_reason(platform, boot):
    """In both loops; and nothing that does not exist is a zero."""
    for one in boot:
        present = {r["name"] for r in one.records("bench")}
        absent = {r["name"]: r["why"] for r in one.records("absent")}
        assert not present & absent.keys()
        assert present | absent.keys() >= BENCHES, BENCHES - present - absent.keys()
        assert all(absent.values())
        for name, summary in figures(one).items():
            assert summary["n"] > 0 and summary["min"] >= 2, name


@pytest.mark.parametrize("platform", each({p: (r, MEASURED[p]) for p, r in PLAIN.items()}))
def test_run_ends_in_order(platform, boot):
    """Exit status 0, all records whole, accounts closed, exits counted per operation."""
    for one in boot:
        assert one.status == 1 and not one.corrupt, str(one)
        one.collector.judge(False, 0)
        assert not one.collector.problems, str(one)
        exits = {r["name"]: {value for value, _ in r["exits"]} for r in one.records("bench")}
        for name in ("exit.cpuid", "exit.hypercall", "exit.rdmsr", "exit.pio_in", "exit.touch",
                     "exit.mmio_read", "exit.wbinvd", "inject.irq"):
            assert exits[name] == {1}, name
        for name in ("exit.empty", "exit.rdmsr_pass", "exit.wrmsr_pass", "exit.invlpg",
                     "exit.cr3_write", "exception.ud", "exception.pf", "exception.bp"):
            assert exits[name] == {0}, name


@pytest.mark.parametrize("platform", each({p: (r, MEASURED[p]) for p, r in PLAIN.items()}))
def test_perturbation_is_the_harness_alone(platform, boot, record_property):
    """Both loops give every figure; what does not exit costs the same in both."""
    plain, measured = (figures(one) for one in boot)
    assert plain.keys() == measured.keys()
    for name in plain:
        record_property(name, measured[name]["mean"] - plain[name]["mean"])
    for name in ("exit.empty", "exit.rdmsr_pass", "exit.cr3_write", "exception.pf"):
        assert plain[name]["mean"] == measured[name]["mean"], name
    for name in ("exit.cpuid", "exit.rdmsr", "exit.hypercall", "exit.pio_in"):
        assert plain[name]["mean"] < measured[name]["mean"], name


AGAIN = {p: machines.tollgate(machines.vm("exits", WORDS), host=p.host, timeout=121)
         for p in (PLATFORMS[0], PLATFORMS[4])}


@pytest.mark.parametrize("platform", each({p: (PLAIN[p], r) for p, r in AGAIN.items()}))
def test_two_runs_give_identical_records(platform, boot):
    """Same binary, same figures: every record but the loader's words is the same."""
    first, second = boot
    for kind in ("bench", "absent", "vcpu", "exits", "vm_end", "account"):
        assert first.records(kind) == second.records(kind), kind


@pytest.mark.boots(NATIVE)
def test_native_run_gives_the_same_table(boot):
    """PLATFORM=native: the same payload without Tollgate, what needs it absent, CPUID 3."""
    assert boot.status == 1, str(boot)
    native = figures(boot, "")
    absent = {r["name"]: r["why"] for r in boot.records("absent")}
    assert native.keys() | absent.keys() == BENCHES
    assert "exit.hypercall" in absent and "inject.irq" in absent
    assert native["exit.empty"]["max"] == 2
    assert native["exit.cpuid"]["max"] == 3


TO_GUEST = {fill: machines.tollgate(
    machines.vm("exits", "iterations=1 warmup=0 only=exit.empty", memory="256M", fill=fill),
    smp=4, exact=True) for fill in ("touch", "boot")}


@pytest.mark.parametrize("fill", [pytest.param(f, id=f, marks=pytest.mark.boots(r))
                                  for f, r in TO_GUEST.items()])
def test_guest_starts_in_time(fill, boot):
    """From the hypervisor's first C code to the guest's first entry."""
    start = boot.record("vm_end")["first_entry_tsc"] - boot.record("host")["entry_tsc"]
    assert start > 0
    assert boot.record("host")["cpus"] == 4
    name = "boot.to_guest" if fill == "touch" else "boot.to_guest_filled"
    assert start <= ceilings.of_class("decode")[name], f"{start / 1e6} ms"


def test_image_is_small():
    """Bytes that the loader copies: the file sizes of the ELF's loaded segments."""
    with open(machines.IMAGE, "rb") as file:
        elf = file.read()
    offset, = struct.unpack_from("<I", elf, 28)
    size, count = struct.unpack_from("<HH", elf, 42)
    segments = [struct.unpack_from("<8I", elf, offset + i * size) for i in range(count)]
    loaded = sum(s[4] for s in segments if s[0] == 1)
    assert 0 < loaded <= ceilings.of_class("decode")["image.loaded"]


def test_budget_file_refuses_nonsense(tmp_path):
    """A line that is wrong is named, not skipped."""
    for text, line in (("exit.cpuid all\n", 1), ("# x\nexit.cpuid some 3\n", 2),
                       ("a all 1\na all 2\n", 2), ("a all -1\n", 1)):
        path = tmp_path / "budget"
        path.write_text(text)
        with pytest.raises(ValueError, match=f"budget:{line}: "):
            ceilings.read(path)
