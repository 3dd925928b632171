# SPDX-License-Identifier: MIT
"""The manifest's knobs: each does what it says, and payloads still run right."""
import ceilings
import pytest
from machines import tollgate, vm
from tollgate import stats

WORDS = "iterations=100"


def exits(host="qemu-epyc", **keys):
    """The payload exits, plain loop, with these keys."""
    return tollgate(vm("exits", WORDS, **keys), host=host)


def mean(boot, name):
    """A benchmark's mean."""
    return stats.summarize(boot.record("bench", name=name)["values"])["mean"]


def ended_right(boot):
    """The payload came to its end and every exit of CPUID was one."""
    assert boot.status == 1 and not boot.corrupt, str(boot)
    assert boot.record("done", "exits")["status"] == 0
    assert boot.end("exits") == ("poweroff", 0)
    assert boot.record("bench", name="exit.empty")["values"] == [[2, 100]]


@pytest.mark.boots(exits("bochs-ryzen", nrip="off"), exits("bochs-ryzen"))
def test_nrip_off_decodes_the_length(boot):
    """On a CPU that tells it: dearer, within the budget for decoding."""
    off, on = boot
    ended_right(off)
    assert mean(on, "exit.cpuid") < mean(off, "exit.cpuid") <= ceilings.of_class("decode")["exit.cpuid"]


@pytest.mark.boots(exits(fill="boot"), exits())
def test_fill_boot_leaves_nothing_to_touch(boot):
    """First touches do not exit; as many pages as memory has."""
    ended_right(boot[0])
    assert boot[0].record("bench", name="exit.touch")["exits"] == [[0, 100]]
    assert boot[0].record("vm_end")["pages"] == (64 << 20) // 4096 > boot[1].record("vm_end")["pages"]


@pytest.mark.boots(exits(zero="inline"), exits())
def test_zero_inline_is_dearer_than_the_pool(boot):
    """No page comes from the pool."""
    ended_right(boot[0])
    assert boot[0].record("vm_end")["pool_fills"] == 0 < boot[1].record("vm_end")["pool_fills"]
    assert mean(boot[0], "exit.touch") > mean(boot[1], "exit.touch") + 200


@pytest.mark.parametrize("page", [pytest.param(p, marks=pytest.mark.boots(exits(page=p, fill=f)),
                                               id=f"{p}-{f}")
                                  for p in ("2m", "1g") for f in ("touch", "boot")])
def test_large_pages_run(page, boot):
    """Nested pages of 2 MiB and 1 GiB, filled at boot and on touch."""
    ended_right(boot)
    assert boot.record("vm")["page"] == page


# Intercept: benchmarks that then exit once each.
INTERCEPTS = {
    "cr0": ("exit.cr0_write", "exit.cr0_read"), "cr3": ("exit.cr3_write",),
    "cr4": ("exit.cr4_write",), "cr8": ("exit.cr8_write",), "invlpg": ("exit.invlpg",),
    "msr": ("exit.rdmsr_pass", "exit.wrmsr_pass"),
    "exceptions": ("exception.ud", "exception.pf"), "pause": (),
}
EXITS = {f"{host}-{i}": (host, i) for i in INTERCEPTS for host in ("qemu-epyc",)}
EXITS["bochs-ryzen-all"] = ("bochs-ryzen", ",".join(INTERCEPTS))


@pytest.mark.parametrize("intercept", [
    pytest.param(i, id=name, marks=pytest.mark.boots(exits(host, intercept=i)))
    for name, (host, i) in EXITS.items()])
def test_intercept_exits_and_runs_right(intercept, boot):
    """Exactly the operations of the intercept exit, which otherwise do not."""
    ended_right(boot)
    chosen = {name for word in intercept.split(",") for name in INTERCEPTS[word]}
    for name in {name for names in INTERCEPTS.values() for name in names}:
        counts = boot.record("bench", name=name)["exits"]
        assert counts == [[1 if name in chosen else 0, 100]], name


@pytest.mark.boots(tollgate(vm("exits", WORDS + " only=exit.empty", intercept="rdtsc")),
                   tollgate(vm("count", "n=2000 k=1", intercept="rdtsc")))
def test_intercepted_rdtsc_still_tells_the_time(boot):
    """It goes on, and an empty pair now holds an exit."""
    empty, count = boot
    assert empty.status == count.status == 1, str(empty)
    assert empty.record("bench", name="exit.empty")["values"][0][0] > 20
    assert count.record("count")["ticks"] > count.record("count")["instructions"]


@pytest.mark.parametrize("knob", [pytest.param(k, marks=pytest.mark.boots(exits(**{k: "off"})))
                                  for k in ("asid", "clean_bits", "trace")])
def test_switches_off_change_no_result(knob, boot):
    """Flushing always, no clean bits, no trace: the payload runs all the same."""
    ended_right(boot)
    assert boot.record("vm")[knob] is False


@pytest.mark.boots(tollgate(vm("exits", WORDS, hypercalls="off")))
def test_without_hypercalls_the_guest_finds_none(boot):
    """The platform is another one to the payload, what needs it is absent."""
    assert boot.record("payload")["platform"] != "tollgate", str(boot)
    assert {"inject.irq"} <= {r["name"] for r in boot.records("absent")}


def two(quantum):
    """Two payloads that never halt on one CPU."""
    return tollgate(*(vm("count", "n=20000000 k=10", name=name, quantum=quantum)
                      for name in ("one", "two")))


@pytest.mark.boots(two(1000), two(10000))
def test_quantum_sets_how_often_the_cpu_changes_hands(boot):
    """A tenth of the quantum, about ten times the switches."""
    short, long = (one.record("account")["counts"]["switch"] for one in boot)
    assert 6 * long < short < 14 * long, (short, long)
