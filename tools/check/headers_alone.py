#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks that every header compiles alone: freestanding for the hypervisor, hosted for the rest."""
import concurrent.futures
import os

import tree

_COMMON = ["-std=gnu11", "-Wall", "-Wextra", "-Wmissing-prototypes", "-Wstrict-prototypes",
           "-Wno-unused-function"]
FREESTANDING = _COMMON + ["-ffreestanding", "-mgeneral-regs-only", "-mno-red-zone"]
HOSTED = _COMMON
# cmocka.h wants these before it.
TEST = HOSTED + ["-include", "stdarg.h", "-include", "stddef.h", "-include", "stdint.h",
                 "-include", "setjmp.h"]


def flags_of(path):
    """The compiler flags for the header at path."""
    if path.startswith("tests/"):
        return TEST
    return HOSTED if path.startswith(("guest/", "tools/")) else FREESTANDING


def check(root):
    """All violations below root."""
    paths = tree.sources(root, (".h",))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        said = pool.map(lambda path: tree.compile_header(root, path, flags_of(path)), paths)
    violations = []
    for path, words in zip(paths, said):
        if words:
            error = next((line for line in words.splitlines() if ": error:" in line
                          or ": warning:" in line), words.splitlines()[0])
            violations.append((path, 1, f"does not compile alone: {error}"))
    return violations


if __name__ == "__main__":
    tree.finish(check(tree.root_argument()))
