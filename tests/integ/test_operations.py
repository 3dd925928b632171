# SPDX-License-Identifier: MIT
"""The operation vectors: what each exit executes stays within tests/opvec_budget, and the path found
in the emulator's log is exactly as long as the figure that the guest measured."""
import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

from tollgate import Refused, opvec  # noqa: E402  (the path comes first)

BUILD = os.environ.get("BUILD") or os.path.join(ROOT, "build")
IMAGE = os.path.join(BUILD, "tollgate.elf")
PAYLOAD = os.path.join(BUILD, "guest", "exits.elf")
BUDGET = os.path.join(ROOT, "tests", "opvec_budget")


@pytest.fixture(scope="module", name="entries")
def measured_entries():
    """One run for all tests."""
    return opvec.count(IMAGE, PAYLOAD, timeout=60)


def test_within_budget(entries):
    assert opvec.violations(entries, opvec.read_budget(BUDGET)) == []


def test_paths_have_the_figures_length(entries):
    for entry in entries:
        if not entry["halts"]:
            assert entry["agrees"], entry["name"]
            assert entry["host_instructions"] + entry["guest_instructions"] == entry["figure"]


def test_exits_are_where_they_should_be(entries):
    at = {entry["name"]: entry["at"] for entry in entries}
    assert at["exit.cpuid"] == at["exit.cpuid_66_66"] == ["cpuid"]
    assert at["exit.hypercall"] == ["vmmcall"]
    assert at["exit.rdmsr"] == ["rdmsr"]
    assert at["exit.wrmsr"] == ["wrmsr"]
    assert at["exit.empty"] == at["exit.rdmsr_pass"] == []


def test_every_exit_enters_again_once(entries):
    for entry in entries:
        assert entry["vector"]["vmrun"] == entry["exits"], entry["name"]


def test_halting_saves_and_loads_the_whole_state(entries):
    """The classes must be able to count: this exit leaves the fast path with all that it takes."""
    halt = next(entry for entry in entries if entry["name"] == "exit.hlt_wake")
    assert halt["vector"]["vmload_vmsave"] == 3
    assert halt["vector"]["clgi_stgi"] == 2
    assert halt["vector"]["serializing"] >= 1  # IRET from the host's timer interrupt


def test_measuring_loop_agrees_too():
    entries = opvec.count(IMAGE, PAYLOAD, only="exit.cpuid,exit.pio_in",
                          settings=[("loop", "measure")], timeout=60)
    assert [entry["name"] for entry in entries] == ["exit.cpuid", "exit.pio_in"]
    assert all(entry["agrees"] for entry in entries)


@pytest.mark.parametrize("line", ["exit.cpuid rdmsr_wrmsr", "exit.cpuid nonsense 0",
                                  "exit.cpuid call one", "exit.cpuid call -1"])
def test_bad_budget_is_refused(tmp_path, line):
    path = tmp_path / "budget"
    path.write_text(f"# fine\n{line}\n")
    with pytest.raises(Refused, match=":2: "):
        opvec.read_budget(path)


def test_violations_are_told(entries):
    cpuid = next(entry for entry in entries if entry["name"] == "exit.cpuid")
    length = cpuid["host_instructions"]
    wrong = dict(cpuid, name="wrong", agrees=False)
    found = opvec.violations([cpuid, wrong], [("exit.cpuid", "instructions", length - 1),
                                              ("exit.cpuid", "instructions", length),
                                              ("exit.gone", "call", 0)])
    assert len(found) == 3
    assert f"instructions is {length}, budget {length - 1}" in found[0]
    assert "exit.gone" in found[1] and "wrong" in found[2]
