# SPDX-License-Identifier: MIT
"""tools/setup with fake package tools: what it installs, and when it only says so."""
import os
import subprocess

import pytest

_APT = '#!/bin/sh\necho "apt-get $*" >> "$LOG"\n'
_SUDO = '#!/bin/sh\necho "sudo" >> "$LOG"\nexec "$@"\n'
_ID = '#!/bin/sh\necho "$FAKE_UID"\n'
_DPKG = """#!/bin/sh
shift 2
for package in "$@"; do
    case " $ABSENT " in
    *" $package "*) ;;
    *) echo "ii $package" ;;
    esac
done
[ -z "$ABSENT" ]
"""


@pytest.fixture
def setup(root, tmp_path):
    """A function that runs tools/setup; returns (its result, what the package tools did)."""
    for name, text in (("apt-get", _APT), ("sudo", _SUDO), ("id", _ID), ("dpkg-query", _DPKG)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    def run(*arguments, absent="", uid="0", **more):
        log = tmp_path / "log"
        log.write_text("")
        environment = dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}", LOG=str(log),
                           ABSENT=absent, FAKE_UID=uid, **more)
        done = subprocess.run([os.path.join(root, "tools", "setup"), *arguments],
                              capture_output=True, text=True, env=environment, check=False)
        return done, log.read_text().splitlines()
    return run


def test_nothing_missing_is_silent(setup):
    done, log = setup()
    assert (done.returncode, done.stdout, done.stderr, log) == (0, "", "", [])


def test_only_the_missing_of_the_set_is_installed(setup):
    done, log = setup("build", "run", absent="make qemu-system-x86 shellcheck")
    assert done.returncode == 0
    assert log == ["apt-get update -q",
                   "apt-get install -q -y --no-install-recommends make qemu-system-x86"]


def test_sudo_when_not_root(setup):
    _, log = setup("check", absent="cppcheck", uid="1000")
    assert log.count("sudo") == 2 and log[-1].endswith("cppcheck")


def test_testing_needs_the_image_tools(setup):
    _, log = setup("test", absent="xorriso")
    assert log[-1].endswith("xorriso")


def test_wrong_set(setup):
    done, log = setup("frob")
    assert done.returncode == 2 and "usage" in done.stderr and not log


def test_without_apt_the_absent_is_listed(root, setup, tmp_path):
    table = os.path.join(root, "tools", "setup")
    with open(table, encoding="utf-8") as file:
        text = file.read()
    changed = tmp_path / "setup"
    changed.write_text(text.replace("| cppcheck\n", "| no-such-program\n")
                       .replace("| shellcheck\n", "| /no/such/file\n"))
    environment = dict(os.environ, TOLLGATE_NO_APT="1")
    done = subprocess.run(["bash", str(changed), "check"], capture_output=True, text=True,
                          env=environment, check=False)
    assert done.returncode == 1
    assert "no-such-program" in done.stderr and "package cppcheck" in done.stderr
    assert "/no/such/file" in done.stderr and "clang-format" not in done.stderr
