# SPDX-License-Identifier: MIT
"""Operation vectors from a made-up log: classes, windows, faults, exits, what does not add up."""
import pytest

from tollgate import exectrace, opvec

GUEST = 1 << 21

PAYLOAD = {  # two operations between stamps, as the harness has them
    0x100: "rdtsc", 0x102: "xchg %eax,%r8d", 0x105: "cpuid", 0x107: "rdtsc", 0x109: "ret",
    0x200: "rdtsc", 0x202: "xchg %eax,%r8d", 0x205: "mov (%rdi),%al", 0x207: "rdtsc",
    0x300: "rdtsc", 0x302: "xchg %eax,%r8d", 0x305: "rdtsc", 0x400: "addq $0x2,(%rsp)",
    0x405: "iretq",
}
HOST = {0x105: "mov %rcx,0x8(%rax)", 0x200: "call 600", 0x600: "rdmsr", 0x602: "ret",
        0x700: "vmrun"}


def code(text):
    """A Code without an ELF file."""
    made = opvec.Code.__new__(opvec.Code)
    made.text = dict(text)
    made.function = {address: f"f{address >> 8}" for address in text}
    addresses = sorted(text)
    made._next = dict(zip(addresses, addresses[1:]))
    made._classes = {}
    return made


def log(*steps):
    """The emulator's lines for (pc, flags) steps; "stop" takes the one before back."""
    lines = []
    for step in steps:
        if step == "stop":
            lines.append("Stopped execution of TB chain before 0x7f00 [0000000000000105]\n")
        else:
            lines.append(f"Trace 0: 0x7f0012345678 [0000000000000000/{step[0]:016x}/{step[1]:08x}"
                         "/ff000201] name\n")
    return "".join(lines).encode()


def guest(*addresses):
    return [(address, GUEST | 0xb3) for address in addresses]


def host(*addresses):
    return [(address, 0xb3) for address in addresses]


NULL = guest(0x300, 0x302, 0x305)
CPUID = [*guest(0x100, 0x102, 0x105), *host(0x105, 0x200, 0x600, 0x602, 0x700),
         *guest(0x107, 0x109)]


def windows(data, piece=None):
    trace = opvec.Trace(code(PAYLOAD))
    for at in range(0, len(data), piece or len(data)):
        trace.feed(data[at:at + (piece or len(data))])
    trace.finish()
    return trace.windows


def record(name, value, n=1, warmup=0):
    return {"t": "bench", "name": name, "n": n, "warmup": warmup, "halts": False,
            "values": [[value, n]]}


def entries(records, steps):
    return opvec.match(records, windows(log(*steps)), code(HOST), code(PAYLOAD))


def test_an_exit():
    [entry] = entries([record("exit.cpuid", 7)], NULL + CPUID)
    assert entry["path"] == [0x105, 0x200, 0x600, 0x602, 0x700]
    assert (entry["host_instructions"], entry["guest_instructions"]) == (5, 2)
    assert entry["exits"] == 1 and entry["at"] == ["cpuid"] and entry["agrees"]
    assert {k: v for k, v in entry["vector"].items() if v} == \
        {"call": 1, "rdmsr_wrmsr": 1, "vmrun": 1}


def test_a_wrong_figure_does_not_agree():
    [entry] = entries([record("exit.cpuid", 8)], NULL + CPUID)
    assert not entry["agrees"]
    assert opvec.violations([entry], [])
    assert not opvec.violations([dict(entry, halts=True)], [])


def test_a_fault_inside_the_guest_is_no_instruction():
    steps = NULL + guest(0x200, 0x202, 0x205, 0x400, 0x405, 0x207)
    [entry] = entries([record("exception.pf", 4)], steps)
    assert entry["agrees"] and entry["exits"] == 0


def test_warmups_belong_to_their_benchmark():
    touch = guest(0x200, 0x202, 0x205, 0x207)
    found = entries([record("exit.cpuid", 7, n=2, warmup=1), record("plain", 3)],
                    (NULL + CPUID) * 3 + NULL + touch)
    assert [e["name"] for e in found] == ["exit.cpuid", "plain"]
    assert all(e["agrees"] and e["identical"] for e in found)


def test_the_commonest_path_counts():
    longer = CPUID[:4] + host(0x200) + CPUID[4:]
    [entry] = entries([{**record("exit.cpuid", 7, n=3), "values": [[7, 1], [8, 1], [7, 1]]}],
                      NULL + CPUID + NULL + longer + NULL + CPUID)
    assert entry["host_instructions"] == 5 and entry["agrees"] and not entry["identical"]


def test_instructions_taken_back_do_not_count():
    steps = [*CPUID[:5], "stop", *CPUID[4:]]
    [entry] = entries([record("exit.cpuid", 7)], NULL + steps)
    assert entry["agrees"]


def test_the_log_may_come_in_any_pieces():
    data = log(*NULL, *CPUID)
    want = [(w.host, w.guest) for w in windows(data)]
    assert len(want) == 2
    for piece in (1, 7, 100):
        assert [(w.host, w.guest) for w in windows(data, piece)] == want


def test_host_code_at_a_stamps_address_is_no_stamp():
    assert windows(log(*host(0x100, 0x102, 0x105, 0x107))) == []


@pytest.mark.parametrize("count", [0, 2])
def test_records_and_log_must_match(count):
    with pytest.raises(exectrace.Failed, match="pairs"):
        entries([record("exit.cpuid", 7)] * count, NULL + CPUID)


def test_unknown_host_code_is_an_error():
    with pytest.raises(exectrace.Failed, match="0x999"):
        entries([record("exit.cpuid", 3)], NULL + guest(0x100, 0x102, 0x105) + host(0x999)
                + guest(0x107))


@pytest.mark.parametrize("text, classes", [
    ("vmread %rax,%rbx", ["vmread_vmwrite"]), ("wrmsr", ["rdmsr_wrmsr"]),
    ("vmsave", ["vmload_vmsave"]), ("vmload", ["vmload_vmsave"]), ("vmlaunch", ["vmrun"]),
    ("stgi", ["clgi_stgi"]), ("mov %rax,%cr0", ["cr_write"]),
    ("mov %rax,%cr3", ["cr_write", "tlb"]), ("mov %cr2,%rax", ["cr_read"]),
    ("mov %rax,%db6", ["dr"]), ("xsetbv", ["xcr"]), ("xrstor64 (%rax)", ["xsave_xrstor"]),
    ("fxsave64 (%rax)", ["xsave_xrstor"]), ("invlpg (%rax)", ["tlb"]), ("invlpga", ["tlb"]),
    ("invept (%rax),%rbx", ["tlb"]), ("iretq", ["serializing"]), ("mfence", ["serializing"]),
    ("lgdt (%rax)", ["serializing"]), ("lidt (%rax)", ["serializing"]),
    ("ltr %ax", ["serializing"]), ("lock xadd %eax,(%rbx)", ["locked"]),
    ("xchg %al,(%rdi)", ["locked"]), ("xchg %rax,%rbx", []), ("out %al,(%dx)", ["port"]),
    ("call *0x10(%rax)", ["call"]), ("mov %rax,0x8(%rbx)", []), ("int3", []), ("inc %eax", []),
    ("leave", []), ("lea 0x1(%rax),%ebx", []), ("syscall", []), ("ret", []),
])
def test_classes(text, classes):
    assert code({1: text}).classes(1) == classes


def test_table_shows_what_is_used():
    text = opvec.table(entries([record("exit.cpuid", 7)], NULL + CPUID))
    head, row = text.splitlines()
    assert "rdmsr_wrmsr" in head and "xcr" not in head and row.startswith("exit.cpuid")
