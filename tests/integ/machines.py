# SPDX-License-Identifier: MIT
"""Boots emulated machines for the tests and hands back what came out.

A Run says what to boot and is hashable; result() boots each Run once per session. Two emulators
run at a time, started ahead of the tests that need them (see conftest.py).
"""
import concurrent.futures
import os
import re
import selectors
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import Optional

import images
from tollgate import bochs, hosts, iso, machine, manifest, qemu, reader
from tollgate.collect import NATIVE, TOLLGATE, Collector

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("TOLLGATE_BUILD", "build"))
IMAGE = os.path.join(BUILD, "tollgate.elf")
EMULATORS_AT_ONCE = 2
TAIL = 40  # lines of the console that a failure shows


def payload(name):
    """The path of a built payload."""
    return os.path.join(BUILD, "guest", name + ".elf")


@dataclass(frozen=True)
class File:
    """A boot module: content, or images.SOURCES[source], or else the built payload of that name."""
    name: str
    args: str = ""
    content: Optional[bytes] = None
    source: str = ""


def manifest_file(text, name="manifest"):
    """A manifest as a boot module."""
    return File(name, "manifest", text.encode())


def vms(*sections, machine_keys=()):
    """A manifest module: each section is (name, {key: value or list of values})."""
    rendered = []
    for name, keys in sections:
        pairs = []
        for key, value in keys.items():
            pairs += [(key, v) for v in (value if isinstance(value, (list, tuple)) else [value])]
        rendered.append((name, pairs))
    return manifest_file(manifest.render(rendered, list(machine_keys)))


def vm(image, args="", name=None, **keys):
    """A section for vms(): the payload image, its words, more keys of the manifest."""
    section = {"memory": "64M", "image": image + ".elf", **keys}
    if args:
        section["cmdline"] = args
    return name or image, section


@dataclass(frozen=True)
class Run:
    """What to boot. exact, None: with one CPU. native: the payload that replaces Tollgate."""
    host: str = "qemu-epyc"
    modules: tuple = ()
    cmdline: str = ""
    smp: int = 1
    memory: int = 512
    exact: Optional[bool] = None
    loader: str = machine.DIRECT
    protocol: str = "auto"
    console: str = "debugcon"  # or "serial": no port 0xe9, so the machine stays on at the end
    native: str = ""
    mutant: str = ""           # a key of images.MUTANTS: a hypervisor with a mistake built in
    cpu: str = ""              # another CPU model than the host's
    timeout: int = 120


def tollgate(*sections, machine_keys=(), **options):
    """A Run of Tollgate with these sections of a manifest and the payloads they name."""
    names = []
    for _, keys in sections:
        for word in [keys["image"], *[m.split()[0] for m in keys.get("module", ())]]:
            if word not in names:
                names.append(word)
    extra = options.pop("files", ())
    known = {file.name for file in extra}
    files = tuple(File(name) for name in names if name not in known)
    return Run(modules=(vms(*sections, machine_keys=machine_keys), *files, *extra), **options)


class Result:
    """What a boot gave: records, text by VM ("" is the hypervisor), status of the emulator."""

    def __init__(self, run, console, status, errors, command):
        self.run, self.console, self.status = run, console, status
        self.errors, self.command = errors, command
        platform = NATIVE if run.native else TOLLGATE
        self.collector = Collector(platform)
        self.text = {}
        self.corrupt = []
        names = set() if run.native else None
        stream = reader.Reader(names)
        for event in stream.feed(console) + stream.finish():
            self.collector.add(event)
            if isinstance(event, reader.Line):
                line = event.text.decode(errors="replace")
                self.text.setdefault(event.source, []).append(line)
            elif isinstance(event, reader.Corrupt):
                self.corrupt.append(event)

    def records(self, kind, source=None):
        """The records of a type, of one VM when source is given."""
        found = [r for s, r in self.collector.by_type.get(kind, ())
                 if source is None or s == source]
        found += [o["record"] for o in self.collector.other
                  if o["record"]["t"] == kind and source in (None, o["source"])]
        return found

    def record(self, type_, source=None, **fields):
        """The one record of this type with these fields."""
        found = [r for r in self.records(type_, source)
                 if all(r.get(k) == v for k, v in fields.items())]
        assert len(found) == 1, f"{len(found)} records {type_} {source} {fields}\n{self}"
        return found[0]

    def end(self, name):
        """(reason, value) of the VM's end."""
        record = self.record("vm_end", name=name)
        return record["reason"], record["value"]

    def log(self, source=""):
        """The text of one VM, or of the hypervisor."""
        return "\n".join(self.text.get(source, ()))

    def __str__(self):
        lines = self.console.decode(errors="replace").splitlines()[-TAIL:]
        shown = "\n".join(line[:300] for line in lines)
        state = "stopped" if self.status is None else f"status {self.status}"
        return f"$ {' '.join(self.command)}\n{shown}\n[{state}] {self.errors.strip()[-2000:]}"


def _host(run):
    host = hosts.find(run.host)
    return host._replace(cpu=run.cpu) if run.cpu else host


def _module(file, folder):
    """Writes a File below folder; returns the machine.Module."""
    if file.content is None and not file.source:
        return machine.Module(payload(file.name.removesuffix(".elf")), file.name, file.args)
    path = os.path.join(folder, file.name)
    if file.source:
        images.assemble(file.source, path)
    else:
        with open(path, "wb") as out:
            out.write(file.content)
    return machine.Module(path, file.name, file.args)


def _boot(run, folder):
    host = _host(run)
    loader = run.loader
    if host.emulator == "bochs":
        loader = machine.BIOS
    exact = run.exact if run.exact is not None else run.smp == 1 and loader != machine.UEFI
    kernel = payload(run.native) if run.native else IMAGE
    if run.mutant:
        kernel = images.mutant(run.mutant, ROOT, BUILD, folder)
    return machine.Boot(host, kernel, run.cmdline,
                        tuple(_module(file, folder) for file in run.modules),
                        run.smp, run.memory, loader, exact,
                        "multiboot" if run.native else run.protocol)


def _command(run, boot, folder):
    staged = machine.stage(boot, folder)
    image = None
    if staged.loader != machine.DIRECT:
        image = iso.build(staged, folder, os.path.join(folder, "iso"))
    if staged.host.emulator == "bochs":
        return bochs.command(staged, image, folder)
    command = qemu.command(staged, image)
    if run.console == "serial":
        command[command.index("-debugcon")] = "-serial"
    return command


# What QEMU says on every start when a CPU model has more than it emulates, and Bochs of itself.
_NOISE = re.compile(r"TCG doesn't support requested feature|^\d+i\[|^ALSA lib |^=+$")


def _read(process, run):
    """The console up to its end, or None and what there was when the time is over."""
    console, deadline = b"", time.monotonic() + run.timeout
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if not selector.select(left):
                break
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                return console, True
            console += data
            last = console[-200:]
            if run.console == "serial" and b'{"t":"end"' in last and last.endswith(b"\n"):
                return console, True
    return console, False


def boot_now(run):
    """Boots the Run; returns its Result."""
    with tempfile.TemporaryDirectory(prefix="integ-") as folder, \
            tempfile.TemporaryFile() as errors:
        files, stage = os.path.join(folder, "files"), os.path.join(folder, "stage")
        os.mkdir(files)
        os.mkdir(stage)
        command = _command(run, _boot(run, files), stage)
        with subprocess.Popen(command, cwd=stage, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=errors,
                              start_new_session=True) as process:
            try:
                console, ended = _read(process, run)
                status = None
                if ended and run.console != "serial":
                    status = process.wait(10)
            except subprocess.TimeoutExpired:
                pass
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        errors.seek(0)
        said = [line for line in errors.read().decode(errors="replace").splitlines()
                if not _NOISE.search(line)]
        return Result(run, console, status, "\n".join(said), command)


_pool = concurrent.futures.ThreadPoolExecutor(EMULATORS_AT_ONCE)
_results = {}


def start(run):
    """Queues a Run; returns its future."""
    if run not in _results:
        _results[run] = _pool.submit(boot_now, run)
    return _results[run]


def result(run):
    """The Result of a Run, which boots once per session."""
    return start(run).result()


def stop():
    """Drops the Runs that have not begun."""
    _pool.shutdown(wait=True, cancel_futures=True)
