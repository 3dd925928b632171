# SPDX-License-Identifier: MIT
"""`toll boot` and `toll run` as a user calls them: consoles and exit statuses."""
import json
import os
import subprocess
import sys

import images
import machines
import pytest

TOLL = os.path.join(machines.ROOT, "tools", "toll")


def toll(*words, **options):
    """Runs tools/toll; returns what subprocess.run does."""
    return subprocess.run([sys.executable, TOLL, *words], capture_output=True, text=True,
                          timeout=120, check=False, stdin=subprocess.DEVNULL, **options)


def boot(image, *words):
    """toll boot with the image and the built hypervisor."""
    return toll("boot", image, "--image", machines.IMAGE, *words)


def test_power_off_is_zero():
    """The guest's console, and nothing else, on standard output."""
    done = boot(machines.payload("hello"), "--cmdline", "one two")
    assert done.returncode == 0, done.stderr
    assert "Hello from a payload on tollgate\n" in done.stdout
    assert "argv[2] = two\n" in done.stdout and "ACPI" not in done.stdout


def test_exit_port_gives_qemus_status(tmp_path):
    """7 written to the port: 15. The settings of the VM are passed on."""
    image = str(tmp_path / "real")
    images.assemble("real", image)
    done = boot(image, "--vm", "format=raw", "--vm", "load=0x7c00", "--vm", "start=real")
    assert (done.returncode, done.stdout) == (15, "R\n"), done.stderr


@pytest.mark.parametrize("fault", ["triple_fault", "hlt_forever", "scribble_page_tables"])
def test_fault_is_125(fault):
    """With the reason on standard error."""
    done = boot(machines.payload("faults"), "--cmdline", fault)
    assert done.returncode == 125, done.stderr
    assert "the VM was stopped: " in done.stderr


def test_timeout_is_124():
    """A guest that never ends."""
    done = boot(machines.payload("count"), "--cmdline", "n=100000000000 k=1", "--timeout", "3")
    assert done.returncode == 124, done.stderr


def test_refused_manifest_is_126():
    """The hypervisor's words are passed on."""
    done = boot(machines.payload("hello"), "--vm", "loop=quick")
    assert done.returncode == 126, done.stderr
    assert "plain, measure" in done.stderr


@pytest.mark.parametrize("host", ["qemu-epyc", "bochs-ryzen"])
def test_run_publishes_valid_results(host, tmp_path):
    """The whole way: both loops, JSON by its schema, report, `latest`."""
    done = toll("run", "--payload", machines.payload("exits"), "--host", host, "--image", machines.IMAGE,
                "--cmdline", "iterations=100", "--results", str(tmp_path / "results"))
    assert done.returncode == 0, done.stdout + done.stderr
    with open(tmp_path / "results" / "latest" / "results.json", encoding="utf-8") as file:
        results = json.load(file)
    assert results["ok"] and not results["problems"]
    loops = {b["loop"] for b in results["benchmarks"] if b["name"] == "exit.cpuid"}
    assert loops == {"plain", "measure"}
    assert {b["unit"] for b in results["benchmarks"] if not b["halts"]} == {"instructions"}
    assert "exit.cpuid" in done.stdout and (tmp_path / "results" / "latest" / "report.txt").exists()
