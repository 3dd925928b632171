# SPDX-License-Identifier: MIT
"""The command tools/toll from outside, with a script in the emulator's place."""
import json
import os
import re
import subprocess

import pytest
import streams
from tollgate.reader import encode

_FAKE = """#!/bin/sh
[ "$1" = --version ] && { echo "QEMU emulator version 0.0"; exit; }
echo "$@" >> "$FAKE_LOG"
echo "fake: TCG doesn't support requested feature: x" >&2
case "$*" in
*-initrd*)
    loop=$(sed -n 's/^loop = //p' manifest 2>/dev/null)
    cat "$FAKE_STREAM.$loop" 2>/dev/null || cat "$FAKE_STREAM"
    ;;
*) cat "$FAKE_STREAM.native" ;;
esac
[ -z "$FAKE_HANG" ] || exec sleep "$FAKE_HANG"
exit 1
"""


class Desk:
    """A folder with a fake emulator, an image and a payload."""

    def __init__(self, root, folder):
        self.folder = folder
        self._toll = os.path.join(root, "tools", "toll")
        self._environment = dict(os.environ, PATH=f"{folder}/bin:{os.environ['PATH']}",
                                 FAKE_STREAM=f"{folder}/stream", FAKE_LOG=f"{folder}/log",
                                 FAKE_HANG="")
        (folder / "bin").mkdir()
        fake = folder / "bin" / "qemu-system-x86_64"
        fake.write_text(_FAKE)
        fake.chmod(0o755)
        for name in ("tollgate.elf", "exits.elf"):
            (folder / name).write_text(name)
        self.stream(streams.native(), ".native")

    def stream(self, data, ending=""):
        """Sets what the emulator will say."""
        (self.folder / f"stream{ending}").write_bytes(data)

    def toll(self, *arguments, hang=""):
        """Runs the command."""
        return subprocess.run([self._toll, *arguments], cwd=self.folder, capture_output=True,
                              env=dict(self._environment, FAKE_HANG=hang), timeout=30,
                              check=False)

    def run(self, *arguments, **more):
        """`toll run` with the fake's files."""
        return self.toll("run", "--image", "tollgate.elf", "--payload", "exits.elf",
                         "--results", "results", *arguments, **more)

    def boot(self, *arguments, **more):
        """`toll boot` likewise."""
        return self.toll("boot", "exits.elf", "--image", "tollgate.elf", *arguments, **more)

    def results(self):
        """The latest results.json."""
        return json.loads((self.folder / "results" / "latest" / "results.json").read_text())

    def commands(self):
        """The emulator's command lines."""
        return (self.folder / "log").read_text().splitlines()


@pytest.fixture
def desk(root, tmp_path):
    """A fresh Desk."""
    return Desk(root, tmp_path)


def test_run_both_loops_and_native(desk):
    desk.stream(streams.tollgate(), ".plain")
    desk.stream(streams.tollgate(loop="measure"), ".measure")
    done = desk.run("--platform", "both")
    assert done.returncode == 0, done.stderr
    out = done.stdout.decode()
    assert "measuring  perturb.  native" in out and "results in results/" in out
    made = desk.results()
    assert [b["label"] for b in made["boots"]] == ["plain", "measure", "native"]
    assert made["ok"] and len(made["perturbation"]) == 3
    assert made["host"]["emulator_version"] == "QEMU emulator version 0.0"
    assert re.fullmatch(r"[0-9a-f]{7,}(-dirty)?|unknown", made["commit"])
    assert "loop = measure" in made["boots"][1]["manifest"]
    assert "-initrd manifest manifest,exits.elf" in desk.commands()[0]
    assert "-kernel exits.elf" in desk.commands()[2]
    latest = desk.folder / "results" / "latest"
    assert (latest / "report.txt").read_text() in out
    assert (latest / "plain.console").read_bytes() == streams.tollgate()
    lines = (latest / "plain.records").read_text().splitlines()
    assert json.loads(lines[0])["record"]["t"] == "host"
    assert b"[plain exits] exit.cpuid: mean 60.47" in done.stderr
    assert b"requested feature" not in done.stderr
    again = desk.toll("report", "results/latest")
    assert again.returncode == 0 and again.stdout.decode() == (latest / "report.txt").read_text()


def test_run_with_settings(desk):
    desk.stream(streams.tollgate(), ".plain")
    assert desk.run("--loop", "plain", "--vm", "page=2m", "--vm", "memory=1G", "--cmdline",
                    "only=x", "--machine", "pool_pages=8", "--append", "console=e9", "--smp",
                    "2").returncode == 0
    boot = desk.results()["boots"][0]
    for line in ("page = 2m\n", "memory = 1G\n", "cmdline = only=x\n",
                 "[machine]\npool_pages = 8\n"):
        assert line in boot["manifest"]
    assert "memory = 64M" not in boot["manifest"]
    assert "-smp 2 -m 1216" in desk.commands()[0] and "-icount" not in desk.commands()[0]
    assert boot["cmdline"] == "console=e9" and not boot["exact"]
    assert desk.results()["benchmarks"][0]["unit"] == "virtual-ns"


def test_run_of_a_manifest_finds_its_modules(desk):
    (desk.folder / "my.manifest").write_text("[vm exits]\nimage = exits.elf\nmodule = gone\n")
    desk.stream(streams.tollgate())
    done = desk.run("--manifest", "my.manifest")
    assert done.returncode == 0 and b"no file for the module 'gone'" in done.stderr
    assert len(desk.commands()) == 1 and (
        "-initrd my.manifest manifest,exits.elf" in desk.commands()[0])


def test_problems_give_status_1_and_are_shown(desk):
    data = streams.tollgate().replace(b"exit.cpuid", b"exit.spuid")
    desk.stream(data, ".plain")
    done = desk.run("--loop", "plain")
    assert done.returncode == 1 and b"PROBLEMS" in done.stdout
    assert b"corrupt record from exits" in done.stderr
    assert not desk.results()["ok"]


def test_results_before_a_crash_survive(desk):
    whole = streams.tollgate()
    desk.stream(whole[:whole.index(b"exit.hlt_wake") + 40], ".plain")
    done = desk.run("--loop", "plain")
    assert done.returncode == 1
    assert [b["name"] for b in desk.results()["benchmarks"]] == ["exit.empty", "exit.cpuid"]


def test_run_timeout(desk):
    desk.stream(b"tollgate starts\n", ".plain")
    done = desk.run("--loop", "plain", "--timeout", "0.5", hang="20")
    assert done.returncode == 124
    boot = desk.results()["boots"][0]
    assert boot["timed_out"] and boot["status"] is None and boot["seconds"] < 5


@pytest.mark.parametrize("arguments, words", [
    (["run", "--host", "vax"], "qemu-epyc"), (["run", "--image", "gone"], "no such file"),
    (["boot", "gone"], "no such file"), (["run", "--vm", "page"], "KEY=VALUE"),
    (["run", "--smp", "0"], "--smp"),
    (["run", "--host", "ryzen", "--loader", "uefi"], "BIOS only"), (["frob"], "frob"), (["report", "gone"], "gone"),
    (["run", "--manifest", "gone"], "gone"), (["run", "--module", "gone"], "gone")])
def test_wrong_usage(desk, arguments, words):
    done = desk.toll(*arguments)
    assert done.returncode == 2 and words in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not (desk.folder / "results").exists()


def guest_stream(reason, value=0, text=b"[guest] hello\n"):
    """A boot of the VM `guest` that ends so."""
    return b"log line\n" + text + encode(
        {"t": "vm_end", "id": 0, "name": "guest", "reason": reason, "detail": "because",
         "value": value}) + encode({"t": "end", "reason": "all VMs ended"})


@pytest.mark.parametrize("reason, value, status", [
    ("poweroff", 0, 0), ("exit_port", 0, 1), ("exit_port", 3, 7), ("exit_port", 0xff, 0xff),
    ("fault", 0, 125), ("triple_fault", 0, 125), ("halted", 0, 125)])
def test_boot_status(desk, reason, value, status):
    desk.stream(guest_stream(reason, value))
    done = desk.boot()
    assert done.returncode == status
    assert done.stdout == b"hello\n"
    assert (b"log line" in done.stderr) == (status == 125)


def test_boot_console_is_exact(desk):
    text = b"[guest] a\xff\x1d\nother\n[guest] b\r\n[guest] \n[other] no\n[guest] end"
    desk.stream(text + b"\x1d\n" + guest_stream("poweroff", text=b""))
    done = desk.boot("-v")
    assert done.returncode == 0
    assert done.stdout == b"a\xffb\n\nend"
    assert b"other" in done.stderr and b"vm_end" in done.stderr


def test_boot_manifest(desk):
    desk.stream(guest_stream("poweroff"))
    (desk.folder / "initrd.img").write_text("x")
    done = desk.boot("-v", "--module", "initrd.img root=a", "--cmdline", "console=ttyS0",
                     "--vm", "memory=256M", "--vm", "vcpus=2")
    assert ("[vm guest]\nimage = exits.elf\ncmdline = console=ttyS0\n"
            "module = initrd.img root=a\nmemory = 256M\nvcpus = 2\n") in done.stderr.decode()
    assert "-initrd manifest manifest,exits.elf,initrd.img" in desk.commands()[0]


def test_boot_timeout_and_broken_hypervisor(desk):
    desk.stream(b"[guest] x\n")
    assert desk.boot("--timeout", "0.3", hang="20").returncode == 124
    done = desk.boot()
    assert done.returncode == 126 and b"did not bring the VM to an end" in done.stderr


def test_collect(desk):
    (desk.folder / "serial.log").write_bytes(streams.tollgate().replace(b"\n", b"\r\n"))
    done = desk.toll("collect", "serial.log", "--results", "results")
    assert done.returncode == 0, done.stderr
    made = desk.results()
    assert made["host"]["emulator"] == "none" and made["host"]["unit"] == "tsc-cycles"
    assert len(made["benchmarks"]) == 3


def test_help_and_hosts(desk):
    text = desk.toll("--help").stdout.decode()
    for command in ("run", "boot", "hosts", "report", "collect", "examples:"):
        assert command in text
    assert "124" in desk.toll("boot", "--help").stdout.decode()
    assert b"qemu-epyc-milan" in desk.toll("hosts").stdout
