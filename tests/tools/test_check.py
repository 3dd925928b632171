# SPDX-License-Identifier: MIT
"""The checkers of tools/check, each on a tree that violates it and on one that does not."""
import os
import subprocess
import sys

import headers_alone
import include_ranks
import pytest
import sizes
import spdx

_LICENCE = "/* SPDX-License-Identifier: MIT */\n"


@pytest.fixture
def tree(tmp_path):
    """A function that writes files below a fresh folder, and returns it as text."""
    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return str(tmp_path)
    return write


def include(*paths):
    """A source that includes them."""
    return "".join(f'#include "{path}"\n' for path in paths)


@pytest.mark.parametrize("user, used, allowed", [
    ("hv/lib/a.h", "hv/abi/b.h", True), ("hv/abi/a.h", "hv/lib/b.h", False),
    ("hv/x86/a.h", "hv/lib/b.h", True), ("hv/lib/a.h", "hv/x86/b.h", False),
    ("hv/host/a.c", "hv/host/b.h", True), ("hv/host/a.c", "hv/dev/b.h", False),
    ("pmu/a.c", "hv/host/b.h", False), ("hv/vm/a.c", "pmu/b.h", True),
    ("hv/dev/a.c", "hv/vm/b.h", False), ("svm/a.c", "hv/vm/b.h", True),
    ("svm/a.c", "vmx/b.h", False), ("hv/load/a.c", "svm/b.h", False),
    ("hv/vm/a.c", "svm/b.h", False), ("hv/main.c", "svm/b.h", True),
    ("boot/a.S", "hv/main.h", True), ("hv/main.c", "boot/b.h", True),
    ("hv/vm/a.c", "hv/main.h", False), ("guest/a.c", "hv/abi/b.h", True),
    ("guest/a.c", "hv/lib/b.h", False), ("hv/lib/a.c", "guest/b.h", False),
    ("tests/unit/a.c", "svm/b.h", True), ("svm/a.c", "tests/b.h", False),
    ("hv/other/a.c", "hv/abi/b.h", False)])
def test_include_ranks(tmp_path, user, used, allowed):
    for path, text in ((used, ""), (user, "\n" + include(used))):
        os.makedirs(tmp_path / os.path.dirname(path), exist_ok=True)
        (tmp_path / path).write_text(text)
    found = include_ranks.check(str(tmp_path))
    assert (found == []) == allowed
    assert allowed or found[0][:2] == (user, 2)


def test_include_paths_are_full(tree):
    root = tree(svm__a_DOT_c=include("b.h", "svm/b.h"), svm__b_DOT_h="")
    assert [v[:2] for v in include_ranks.check(root)] == [("svm/a.c", 1)]


def test_generated_headers_need_not_exist(tree):
    root = tree(svm__a_DOT_S=include("svm/offsets.h"), vmx__a_DOT_S=include("svm/offsets.h"))
    assert [v[0] for v in include_ranks.check(root)] == ["vmx/a.S"]


def test_own_header_comes_first(tree):
    root = tree(svm__a_DOT_c=include("svm/b.h", "svm/a.h"), svm__a_DOT_h="", svm__b_DOT_h="")
    found = include_ranks.check(root)
    assert len(found) == 1 and "does not come first" in found[0][2]
    assert include_ranks.check(tree(svm__a_DOT_c=include("svm/a.h", "svm/b.h"))) == []


def test_hosted_headers_stay_outside(tree):
    root = tree(svm__a_DOT_c="#include <stdio.h>\n#include <stdint.h>\n",
                guest__a_DOT_c="#include <stdio.h>\n")
    assert [v[:2] for v in include_ranks.check(root)] == [("svm/a.c", 1)]


def test_headers_alone(tree):
    root = tree(hv__lib__good_DOT_h="#include <stdint.h>\nstatic inline uint8_t f(void)\n"
                                    "{\n    return 1;\n}\n",
                hv__lib__bad_DOT_h="uint8_t g(void);\n",
                guest__hosted_DOT_h="#include <stdio.h>\nvoid p(FILE *f);\n")
    found = headers_alone.check(root)
    assert [v[0] for v in found] == ["hv/lib/bad.h"] and "uint8_t" in found[0][2]


def body(lines):
    """A C function of that many lines between its braces, inclusive."""
    return "{\n" + "    x();\n" * (lines - 2) + "}\n"


def test_function_sizes(tree):
    text = ("static int __attribute__((noinline)) fits(int a,\n        int b)\n" + body(80)
            + "void too_long(void)\n" + body(81))
    root = tree(svm__a_DOT_c=text)
    found = sizes.check(root)
    assert [(v[0], v[1]) for v in found] == [("svm/a.c", 84)]
    assert "too_long() has 81 lines" in found[0][2]
    tree(tools__check__sizes_DOT_allow="# why\nsvm/a.c too_long\n")
    assert sizes.check(root) == []


def test_file_sizes(tree):
    root = tree(svm__a_DOT_c="x;\n" * 700, svm__b_DOT_S="x\n" * 701, docs__c_DOT_c="x;\n" * 800)
    assert [v[0] for v in sizes.check(root)] == ["svm/b.S"]
    tree(tools__check__sizes_DOT_allow="svm/b.S\n")
    assert sizes.check(root) == []


def test_python_function_sizes(tree):
    root = tree(tools__a_DOT_py="def f(\n    a,\n):\n" + "    x()\n" * 78 + "\n\ndef g():\n"
                                + "    y()\n" * 79 + "\n\nz = 1\n")
    assert [v[2].split("(")[0] for v in sizes.check(root)] == ["f"]


def test_spdx(tree):
    root = tree(svm__a_DOT_c=_LICENCE, svm__b_DOT_c="/* nothing */\n\n" + _LICENCE,
                tools__run="#!/bin/sh\n# SPDX-License-Identifier: MIT\n", tools__bad="#!/bin/sh\n",
                tools__data="1 2 3\n", Makefile="all:\n", tools__README_DOT_md="text\n")
    assert [v[0] for v in spdx.check(root)] == ["Makefile", "svm/b.c", "tools/bad"]


@pytest.mark.parametrize("script", ["include_ranks", "headers_alone", "sizes", "spdx"])
def test_scripts_print_file_line_message(root, tree, script):
    path = os.path.join(root, "tools", "check", f"{script}.py")
    bad = tree(svm__a_DOT_h=include("nowhere.h") + "x;\n" * 701)
    done = subprocess.run([sys.executable, path, bad], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and done.stdout.startswith("svm/a.h:"), done
    good = os.path.join(bad, "empty")
    os.mkdir(good)
    done = subprocess.run([sys.executable, path, good], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0 and done.stdout == ""
