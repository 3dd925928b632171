# SPDX-License-Identifier: MIT
"""The time accounts: they close, and each of them is right."""
import images
import machines
import pytest
from machines import tollgate, vm
from platforms import BOTH_EMULATORS

# The payload count, whose length is known; both numbers of one size, so that the text it prints
# is, too.
GRID = [(200000, 100), (200000, 300), (400000, 100), (400000, 300)]


def count_run(n, k, host="qemu-epyc", **options):
    """The payload count in the measuring loop."""
    return tollgate(vm("count", f"n={n} k={k}", loop="measure"), host=host, **options)


def accounts(boot, cpu=0):
    """(ticks, counts) of a CPU."""
    record = boot.record("account", cpu=cpu)
    return record["accounts"], record["counts"]


def stub_of(boot):
    """Instructions of the stub that lie outside the stamps of one exit."""
    host = boot.record("host")
    return host["residue_in"] + host["residue_out"]


def guest_constant(boot, trap=0):
    """What the guest account holds besides count's instructions: in the place of each CPUID, the
    stub's instructions outside the stamps and `trap`, what the emulator counts for a CPUID that
    exits. What remains is the payload's start and end."""
    record = boot.record("count")
    return (accounts(boot)[0]["guest"] - record["instructions"]
            - record["cpuids"] * (stub_of(boot) + trap - 1))


def guest_account_is_right(boots, trap=0):
    """The constant is the same whatever n and k are."""
    constants = {guest_constant(boot, trap) for boot in boots}
    return len(constants) == 1 and 0 < constants.pop() < 40000


@pytest.mark.parametrize("platform", [
    pytest.param(p, id=p.host, marks=pytest.mark.boots(
        *(count_run(n, k, p.host) for n, k in (GRID if p.host.startswith("qemu") else GRID[1:3]))))
    for p in BOTH_EMULATORS])
def test_guest_account_is_the_payloads_length(platform, boot, record_property):
    """Exactly, for every n and k, but for one constant, which is published here."""
    for one in boot:
        assert one.status == 1, str(one)
    constants = [guest_constant(one, platform.trap) for one in boot]
    record_property("guest_constant", constants[0])
    print(f"{platform.host}: the guest account of count is its length + {constants[0]}")
    assert guest_account_is_right(boot, platform.trap), constants


@pytest.mark.boots(*(count_run(n, k) for n, k in GRID))
def test_exit_counts_are_the_payloads(boot):
    """Two boots differ by exactly the CPUIDs that their command lines differ by."""
    cpuids = [(one.record("count")["cpuids"], accounts(one)[1]["cpuid"]) for one in boot]
    assert {counted - done for done, counted in cpuids} == {cpuids[0][1] - cpuids[0][0]}
    assert 0 < cpuids[0][1] - cpuids[0][0] < 20  # those of the payload's start


@pytest.mark.parametrize("name", [
    pytest.param(name, id=name, marks=pytest.mark.boots(
        *(count_run(n, k, mutant=name) for n, k in GRID[1:3])))
    for name in images.MUTANTS])
def test_a_build_that_skips_a_stamp_fails(name, boot):
    """Either the accounts do not close, which the host says and ends with, or the guest account is
    not the payload's length."""
    del name
    failed = [one.status != 1 for one in boot]
    if all(failed):
        assert all("accounts do not close" in one.console.decode(errors="replace")
                   for one in boot), str(boot[0])
    else:
        assert not guest_account_is_right(boot)


# Benchmarks of a kind of their own, and the guest's own instructions between its stamps.
KINDS = {"exit.cpuid": ("cpuid", 2), "exit.hypercall": ("hypercall", 2), "exit.rdmsr": ("rdmsr", 2),
         "exit.wrmsr": ("wrmsr", 3), "exit.pio_in": ("pio_in", 2),
         "exit.pio_in_absent": ("pio_absent", 2), "exit.mmio_read": ("mmio", 2),
         "exit.wbinvd": ("wbinvd", 2)}
ONLY = ",".join(KINDS)


def kinds_run(n, host):
    """All of KINDS, n times each."""
    return tollgate(vm("exits", f"iterations={n} only={ONLY}", loop="measure"), host=host)


@pytest.mark.parametrize("platform", [
    pytest.param(p, id=p.host,
                 marks=pytest.mark.boots(kinds_run(300, p.host), kinds_run(600, p.host)))
    for p in BOTH_EMULATORS])
def test_stamps_and_residue_are_what_the_guest_saw(platform, boot):
    """h1 - h0, the residue and the guest's own instructions add up to the guest's figure, by the
    histograms' sums over 300 further iterations. To the tick: what a kind's few exits outside of
    the benchmark differ by does not make up a tick for each of the 300."""
    outside = stub_of(boot[0]) + platform.trap
    for name, (kind, own) in KINDS.items():
        seen = boot[1].record("bench", name=name)["values"]
        assert len(seen) == 1, f"{name} varies: {seen}"
        few, many = (one.record("exits", kind=kind) for one in boot)
        if kind == "hypercall":  # the kind also holds the draining of the console
            assert many["min"] + outside + own == seen[0][0]
            continue
        assert many["n"] - few["n"] == 300, name
        assert round((many["sum"] - few["sum"]) / 300) == seen[0][0] - outside - own, name


@pytest.mark.boots(kinds_run(300, "qemu-epyc"))
def test_histograms_and_accounts_tell_the_same(boot):
    """Per kind: histogram's buckets = n = account's count; its sum = account's ticks."""
    ticks, counts = accounts(boot)
    for record in boot.records("exits"):
        kind = record["kind"]
        assert sum(bucket[2] for bucket in record["histogram"]) == record["n"] == counts[kind]
        assert record["sum"] == ticks[kind], kind
        assert record["min"] <= record["p50"] <= record["p90"] <= record["p99"] <= record["max"]
    vcpu = boot.record("vcpu")
    assert vcpu["guest_ticks"] == ticks["guest"]
    assert vcpu["handler_ticks"] == sum(r["sum"] for r in boot.records("exits"))


# inject=KIND:TICKS. The delay is long beside what the boots' texts differ by.
TICKS = dict.fromkeys(("cpuid", "hypercall", "rdmsr", "wrmsr", "pio_in", "pio_absent", "mmio", "fill",
                       "fill_zero", "wbinvd", "hlt", "switch", "sched", "irq"), 1000000)
TICKS["pio_out"] = 50000  # shorter than the wait that the last write to the PIT begins
# A wait for a deadline is shorter by what is spun before it, wherever that is.
WAITS = {"idle"}
# Numbers of more digits when time passes: some more bytes, of the payload's text and of the records
# that are built when a VM ends (account switch). And a delay longer than a wait saves a turn, and the
# PIT is programmed (pio_out) when its last count has ended already.
TALK = {"guest", "pio_string", "pio_out", "hypercall", "switch", "sched", "irq", "drain"}
# The knob's own check costs instructions in every account: both boots have it.
NOTHING = "task_switch:1"
INJECT_ONLY = ONLY + ",exit.pio_out,exit.touch,exit.touch_zero_inline,exit.hlt_wake"


def inject_run(inject=NOTHING):
    """A payload with exits of all kinds, and a delay."""
    return tollgate(vm("exits", f"iterations=20 warmup=2 only={INJECT_ONLY}", loop="measure",
                       inject=inject))


@pytest.mark.parametrize("kind", [
    pytest.param(kind, id=kind, marks=pytest.mark.boots(
        inject_run(), inject_run(f"{kind}:{ticks}")))
    for kind, ticks in TICKS.items()])
def test_injected_delay_lands_in_its_account(kind, boot):
    """The account grows by count x TICKS within 0.1 %, the others stay."""
    (before, old), (after, new) = accounts(boot[0]), accounts(boot[1])
    assert boot[1].status == 1, str(boot[1])
    times = new[kind] - (kind == "sched")  # its last opening is never closed
    assert after[kind] - before[kind] == pytest.approx(times * TICKS[kind], rel=0.001)
    for other in before.keys() - WAITS - {kind}:
        assert new[other] == pytest.approx(old[other], rel=0.1 if other in TALK else 0), other
        tolerance = 0.1 if other in TALK else 0.001
        assert after[other] == pytest.approx(before[other], rel=tolerance, abs=500), other


LONG = 10000000  # a hundred times the wait of exit.hlt_wake: the delay is all of the wait


@pytest.mark.boots(inject_run(f"idle:{LONG}"))
def test_injected_delay_lands_in_idle(boot):
    """A wait ends at its deadline, so a longer delay takes its place: one for each HLT."""
    ticks, counts = accounts(boot)
    assert boot.status == 1 and counts["hlt"] == 22, str(boot)
    assert ticks["idle"] == pytest.approx(counts["hlt"] * LONG, rel=0.001)


DRAIN = [tollgate(vm("devices", "uart_fifo pit_interrupt_rate", loop="measure", inject=inject))
         for inject in (NOTHING, "drain:1000000")]


@pytest.mark.boots(*DRAIN)
def test_injected_delay_lands_in_drain(boot):
    """Output that a payload leaves when it halts is drained outside its exits."""
    (before, old), (after, new) = accounts(boot[0]), accounts(boot[1])
    assert old["drain"] == new["drain"] > 0
    assert after["drain"] - before["drain"] == pytest.approx(new["drain"] * 1000000, rel=0.001)


@pytest.mark.boots(
    tollgate(vm("exits", "iterations=200", name="one", loop="measure", quantum=1000),
             vm("exits", "iterations=200", name="two", loop="measure", quantum=1000)),
    tollgate(vm("exits", "iterations=200", name="one", loop="measure", quantum=1000),
             vm("exits", "iterations=200", name="two", loop="plain", quantum=1000)))
def test_two_vms_on_one_cpu_close_exactly(boot):
    """Both end right; not one tick is missing; time is sliced between them."""
    for one in boot:
        assert one.status == 1, str(one)
        assert one.end("one") == one.end("two") == ("poweroff", 0)
        record = one.record("account")
        assert record["closed"] and sum(record["accounts"].values()) == record["elapsed"]
        for name in ("one", "two"):
            assert one.record("done", name)["status"] == 0
        assert all(v["descheduled_ticks"] > 0 for v in one.records("vcpu"))
        assert record["accounts"].get("unknown", 0) == 0
    assert boot[1].record("account")["accounts"]["plain"] > 0


@pytest.mark.boots(tollgate(vm("devices", loop="measure")),
                   tollgate(vm("exits", "iterations=100", loop="measure")))
def test_no_account_without_a_count(boot):
    """Time never lands in an account that was not opened: above all not in unknown."""
    for one in boot:
        ticks, counts = accounts(one)
        assert set(ticks) <= set(counts), set(ticks) - set(counts)
        assert "unknown" not in ticks


@pytest.mark.boots(tollgate(vm("exits", "iterations=100")))
def test_plain_loop_is_accounted_as_a_whole(boot):
    """No exit kind has an account: the plain loop says that it is not split."""
    ticks, _ = accounts(boot)
    assert set(ticks) <= {"plain", "switch", "sched", "idle", "irq", "drain"}
    assert sum(ticks.values()) == boot.record("account")["elapsed"]


@pytest.mark.parametrize("quantum", [
    pytest.param(q, marks=pytest.mark.boots(
        tollgate(vm("count", "n=30000000 k=10", name="busy", quantum=q),
                 vm("exits", "iterations=3000 only=inject.irq", name="good", quantum=q))))
    for q in (100, 1000, 10000)])
def test_no_interrupt_is_lost_or_repeated_at_a_switch(quantum, boot):
    """A VM that injects into itself all the time, sliced at many places."""
    del quantum
    assert boot.text.get("good") is None, boot.log("good")
    assert boot.end("good") == boot.end("busy") == ("poweroff", 0), str(boot)
    assert boot.record("bench", name="inject.irq")["interrupts"] == [[1, 3000]]
