#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Enforces the rank table of ARCHITECTURE.md on every #include: dependencies point downwards,
paths are full from the root, a .c file includes its own header first."""
import os
import re

import tree

# Equal ranks may not include one another, except the same folder.
RANKS = {
    "hv/abi": 0, "hv/lib": 0,
    "hv/x86": 1,
    "hv/host": 2, "hv/emu": 2, "hv/dev": 2, "hv/measure": 2, "pmu": 2,
    "hv/vm": 3,
    "vmx": 4, "svm": 4, "hv/load": 4,
    "hv/main": 5, "boot": 5,
}
# Besides the ranks: who may include what of the same rank, and the two that stand aside.
SIDEWAYS = {("hv/lib", "hv/abi"), ("hv/main", "boot"), ("boot", "hv/main")}
ASIDE = {"guest": ("guest", "hv/abi"), "tools": ("tools", "hv/abi")}

_INCLUDE = re.compile(r'\s*#\s*include\s*(<[^>]*>|"[^"]*")')
_GENERATED = ("offsets.h",)  # made during the build, from offsets.c beside it
_FREESTANDING = {"<stdint.h>", "<stddef.h>", "<stdbool.h>", "<stdarg.h>", "<limits.h>",
                 "<stdalign.h>", "<stdnoreturn.h>", "<float.h>", "<iso646.h>"}


def component(path):
    """The row of the table that a path belongs to, None if there is none."""
    names = (*RANKS, *ASIDE, "tests")
    return next((n for n in names if path.startswith((n + "/", n + ".c", n + ".h"))), None)


def forbidden(user, used):
    """Why component user may not include component used, "" if it may."""
    if user == "tests" or user == used:
        return ""
    if used == "tests":
        return "nobody includes tests"
    if user in ASIDE:
        return "" if used in ASIDE[user] else f"{user} may include {ASIDE[user][1]} only"
    if used in ASIDE:
        return f"{used} is not part of the hypervisor"
    if used is None or user is None:
        return "not a folder of the rank table"
    if RANKS[used] < RANKS[user] or (user, used) in SIDEWAYS:
        return ""
    return f"{user} (rank {RANKS[user]}) may not include {used} (rank {RANKS[used]})"


def _check_include(root, path, target):
    name = target[1:-1]
    user = component(path)
    if target.startswith("<"):
        hypervisor = user in RANKS
        return (f"{target} is not for freestanding code"
                if hypervisor and target not in _FREESTANDING else "")
    if not os.path.isfile(os.path.join(root, name)):
        if os.path.basename(name) in _GENERATED:
            return forbidden(user, component(name))
        return f'"{name}" is not a path from the root to a file'
    return forbidden(user, component(name))


def check(root):
    """All violations below root."""
    violations = []
    for path in tree.sources(root, tree.C_ENDINGS):
        first = None
        for number, line in enumerate(tree.read(root, path), 1):
            include = _INCLUDE.match(line)
            if not include:
                continue
            first = first or (number, include[1])
            reason = _check_include(root, path, include[1])
            if reason:
                violations.append((path, number, reason))
        own = os.path.splitext(path)[0] + ".h"
        if (path.endswith(".c") and first and os.path.isfile(os.path.join(root, own))
                and first[1] != f'"{own}"'):
            violations.append((path, first[0], f'its own header "{own}" does not come first'))
    return violations


if __name__ == "__main__":
    tree.finish(check(tree.root_argument()))
