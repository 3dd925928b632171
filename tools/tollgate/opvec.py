# SPDX-License-Identifier: MIT
"""Counts what the hypervisor executes in each exit: instructions, and those that cost on silicon.

The emulator logs every instruction of an ordinary run of the ordinary image, one log line each;
nothing is built for counting. A benchmark's pairs of RDTSC are found again in the log, what the
host executed between them is its path, and its length must agree with the figure.
"""
import collections
import json
import os
import re
import subprocess
import tempfile

from tollgate import Refused, exectrace, hosts, machine, manifest, reader

ITERATIONS, WARMUP = 4, 2
_GUEST_MODE = 1 << 21  # HF_GUEST_MASK of QEMU's flags
_TRACE = re.compile(rb"Trace \d+: 0x[0-9a-f]+ \[[0-9a-f]+/([0-9a-f]+)/([0-9a-f]+)/|"
                    rb"(Stopped) execution")
_LISTING = re.compile(r"^ +([0-9a-f]+):\t(.*)$|^[0-9a-f]+ <(.*)>:$")
_JUMPS = re.compile(r"j|call|ret|iret|rep")
_PREFIXES = re.compile(r"^(?:(?:rex\S*|data16|addr32|rep|repz|repnz|notrack|bnd|[c-gs]s)\s+)+")

# Class -> what matches a disassembled instruction, prefixes other than LOCK removed.
CLASSES = {
    "vmread_vmwrite": r"vm(read|write)",
    "rdmsr_wrmsr": r"(rd|wr)msr",
    "vmload_vmsave": r"vm(load|save)",
    "vmrun": r"vm(run|launch|resume)",
    "clgi_stgi": r"(cl|st)gi",
    "cr_write": r"mov .*,%cr\d+$|lmsw|clts",
    "cr_read": r"mov +%cr\d+,|smsw",
    "dr": r"mov .*%db\d|mov .*%dr\d",
    "xcr": r"x[gs]etbv",
    "xsave_xrstor": r"x(save|rstor)|fx(save|rstor)",
    "tlb": r"invlpga?\b|invpcid|inv(ept|vpid)|invlpgb|mov .*,%cr3$",
    "serializing": r"cpuid|iret|wbinvd|invd|[lms]fence|ltr|l[gil]dt|serialize|rsm",
    "locked": r"lock |xchg .*\(",
    "port": r"(in|out)s?[bwl]? ",
    "call": r"call",
}
_CLASSES = {name: re.compile(pattern) for name, pattern in CLASSES.items()}


class Mismatch(exectrace.Failed):
    """The log and the benchmarks' records tell different stories."""


class Code:
    """The instructions of an ELF file by address."""

    def __init__(self, path):
        self.text = {}      # address -> disassembly
        self.function = {}  # address -> name of its function
        self._next = {}     # address -> that of the instruction behind it
        self._classes = {}
        if not os.path.isfile(path):
            raise Refused(f"{path}: no such file")
        try:
            listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-w", path],
                                     capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise Refused(f"{path} cannot be disassembled: {error}") from None
        name = "?"
        for line in listing.splitlines():
            if not (found := _LISTING.match(line)):
                continue
            if found[3]:
                name = found[3]
                continue
            address, text = int(found[1], 16), found[2].split("#")[0].strip()
            self.text[address] = _PREFIXES.sub("", re.sub(r"\s+", " ", text))
            self.function[address] = name
        addresses = sorted(self.text)
        self._next = dict(zip(addresses, addresses[1:]))

    def classes(self, address):
        """The classes that the instruction at address belongs to."""
        if address not in self._classes:
            text = self.text.get(address)
            if text is None:
                raise Mismatch(f"no instruction is known at {address:#x}")
            self._classes[address] = [n for n, p in _CLASSES.items() if p.match(text)]
        return self._classes[address]

    def faulted(self, address, then):
        """Whether an instruction on memory was not completed, seen from what was executed then."""
        text = self.text.get(address, "")
        return "(" in text and not _JUMPS.match(text) and then != self._next.get(address)

    def find(self, pattern):
        """Addresses of the instructions that match."""
        return [a for a, text in self.text.items() if re.match(pattern, text)]


class Window:
    """One pair of RDTSC: what ran after the first, up to and with the second."""

    def __init__(self):
        self.host = []        # addresses
        self.guest = []       # addresses
        self.left = []        # guest instructions at which an exit began
        self.pairs = []       # guest instructions in sequence, without an exit between
        self._in_guest = True

    def add(self, pc, guest):
        """The next executed instruction."""
        if guest:
            if self._in_guest and self.guest:
                self.pairs.append((self.guest[-1], pc))
            self.guest.append(pc)
        else:
            if self._in_guest and self.guest:
                self.left.append(self.guest[-1])
            self.host.append(pc)
        self._in_guest = guest


class Trace:
    """Finds the windows in the emulator's log as it arrives."""

    def __init__(self, payload):
        self._stamps = set(payload.find("rdtsc$"))
        # The harness saves the first stamp by this instruction, and nothing else does.
        self._starts = {pc for pc, text in payload.text.items()
                        if re.match(r"xchg %(r8d,%eax|eax,%r8d)$", text)}
        self._tail = b""
        self._last = None   # executed, not yet known whether the emulator took it back
        self._open = None
        self._stamped = False
        self.windows = []
        self.lines = 0

    def feed(self, data):
        """Takes the next bytes of the log."""
        data = self._tail + data
        end = data.rfind(b"\n") + 1
        self._tail = data[end:]
        for pc, flags, stopped in _TRACE.findall(data[:end]):
            if not stopped and self._last:
                self._take(*self._last)
            self._last = None if stopped else (int(pc, 16), int(flags, 16) & _GUEST_MODE)
            self.lines += 1

    def finish(self):
        """The log has ended."""
        if self._last:
            self._take(*self._last)
            self._last = None

    def _take(self, pc, guest):
        if self._open:
            self._open.add(pc, bool(guest))
            if guest and pc in self._stamps:
                self.windows.append(self._open)
                self._open = None
        elif guest and self._stamped and pc in self._starts:
            self._open = Window()
            self._open.add(pc, True)
        if guest:
            self._stamped = pc in self._stamps


def _boot(host, image, payload, folder, only, settings):
    words = [f"iterations={ITERATIONS}", f"warmup={WARMUP}"] + ([f"only={only}"] if only else [])
    name = machine.module_name(payload)
    text = manifest.render([("opvec", manifest.merge(
        [("memory", "64M"), ("image", name), ("cmdline", " ".join(words))], settings))])
    path = os.path.join(folder, "text")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    modules = (machine.manifest_module(path), machine.Module(payload, name, name))
    return machine.stage(machine.Boot(host, image, modules=modules), folder)


def _benches(console):
    """The bench records in order."""
    records = reader.Reader()
    events = records.feed(console) + records.finish()
    found = [e.value for e in events if isinstance(e, reader.Record)]
    if not any(r["t"] == "end" for r in found):
        lines = [e.text.decode(errors="replace") for e in events if isinstance(e, reader.Line)]
        raise Mismatch("the hypervisor did not come to its end; it last said: "
                       + (lines[-1] if lines else "nothing"))
    return [r for r in found if r["t"] == "bench"]


def _figures(record):
    return [value for value, count in record["values"] for _ in range(count)]


def _modal(windows):
    """The commonest path; of equals, the last."""
    paths = collections.Counter(tuple(w.host) for w in windows)
    best = max(paths.values())
    return next(w for w in reversed(windows) if paths[tuple(w.host)] == best)


def _completed(window, payload):
    """Guest instructions executed to their end, as the emulator's clock counts them."""
    faults = sum(payload.faulted(*pair) for pair in window.pairs)
    return len(window.guest) - len(window.left) - faults


def _describe(record, windows, code, payload):
    figures = _figures(record)
    window = _modal(windows)
    vector = collections.Counter(name for pc in window.host for name in code.classes(pc))
    functions = [code.function[pc] for pc in window.host]
    ordered = [f for i, f in enumerate(functions) if not i or functions[i - 1] != f]
    guests = [_completed(w, payload) for w in windows]
    return {
        "name": record["name"],
        "figure": figures[windows.index(window)],
        "host_instructions": len(window.host),
        "guest_instructions": guests[windows.index(window)],
        "exits": len(window.left),
        "at": [payload.text.get(pc, "?") for pc in window.left],
        "halts": bool(record.get("halts")),
        "agrees": [len(w.host) + n for w, n in zip(windows, guests)] == figures,
        "identical": all(w.host == window.host for w in windows),
        "code_lines": len({pc >> 6 for pc in window.host}),
        "vector": {name: vector.get(name, 0) for name in CLASSES},
        "functions": ordered,
        "path": window.host,
    }


def match(records, windows, code, payload):
    """Gives each bench record its windows: the harness times an empty pair before each one."""
    taken = windows[1::2]
    entries, at = [], 0
    for record in records:
        at += record["warmup"]
        entries.append((record, taken[at:at + record["n"]]))
        at += record["n"]
    if at != len(taken) or len(windows) % 2:
        raise Mismatch(f"{at} timed operations are on record, the log has {len(windows)} pairs "
                       "of stamps")
    return [_describe(record, mine, code, payload) for record, mine in entries]


def count(image, payload, *, host="qemu-epyc", only="", settings=(), timeout=120):
    """The operation vectors of payload's benchmarks under image: [{name, vector, …}].

    image, payload: the ELF files to boot, with their symbols beside them as .elf64. settings:
    further [(key, value)] of the VM.
    """
    chosen = hosts.find(host)
    if chosen.emulator != "qemu" or not chosen.exact:
        raise Refused(f"{chosen.name}: paths are counted on QEMU's hosts only")
    machine.check_files(image, [])
    machine.check_files(payload, [])
    code, guest = Code(image + "64"), Code(payload + "64")
    trace = Trace(guest)
    with tempfile.TemporaryDirectory(prefix="toll-") as folder:
        boot = _boot(chosen, image, payload, folder, only, list(settings))
        console = exectrace.run(boot, folder, code.find("vmrun"), trace.feed, timeout)
    trace.finish()
    return match(_benches(console), trace.windows, code, guest)


def listing(entry, image):
    """The path of one entry as disassembly, function by function."""
    code, lines, name = Code(image + "64"), [], None
    for pc in entry["path"]:
        if code.function[pc] != name:
            name = code.function[pc]
            lines.append(f"{name}:")
        lines.append(f"  {pc:8x}  {code.text[pc]}")
    return "\n".join(lines)


def table(entries):
    """Text: a row each, the columns that are not zero everywhere."""
    used = [n for n in CLASSES if any(e["vector"][n] for e in entries)]
    rows = [["benchmark", "figure", "host", "guest", "exits", "lines", *used]]
    for e in entries:
        rows.append([e["name"], e["figure"], e["host_instructions"], e["guest_instructions"],
                     e["exits"], e["code_lines"], *(e["vector"][n] or "." for n in used)])
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(f"{row[0]:{widths[0]}}  " + "  ".join(
        f"{cell!s:>{width}}" for cell, width in zip(row[1:], widths[1:])) for row in rows)


def read_budget(path):
    """[(benchmark, class, maximum)] of a budget file; a class may also be "instructions"."""
    limits = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if len(words) != 3 or not words[2].isdigit() \
                    or words[1] not in {*CLASSES, "instructions", "exits"}:
                raise Refused(f"{path}:{number}: not BENCHMARK CLASS MAXIMUM: {line.strip()}")
            limits.append((words[0], words[1], int(words[2])))
    return limits


def violations(entries, limits):
    """Sentences about what is over budget, missing, or does not agree with its figure."""
    by_name, found = {e["name"]: e for e in entries}, []
    for name, kind, maximum in limits:
        if name not in by_name:
            found.append(f"{name}: in the budget, not measured")
            continue
        entry = by_name[name]
        values = dict(entry["vector"], instructions=entry["host_instructions"],
                      exits=entry["exits"])
        if values[kind] > maximum:
            found.append(f"{name}: {kind} is {values[kind]}, budget {maximum}")
    found += [f"{e['name']}: the path does not have the length of the figure {e['figure']}"
              for e in entries if not e["agrees"] and not e["halts"]]
    return found


def without_paths(entries):
    """The entries as results keep them."""
    return [{k: v for k, v in e.items() if k != "path"} for e in entries]


def save(entries, path):
    """Writes the vectors as JSON, without the paths."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(without_paths(entries), file, indent=1)
        file.write("\n")
