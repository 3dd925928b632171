#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Files hold at most 700 lines, C functions at most 80; sizes.allow lists the few longer ones.
A function is what lies between a { in column 0 and the next } there, as clang-format lays it."""
import os
import re

import tree

FILE_MAX = 700
FUNCTION_MAX = 80
ENDINGS = (".c", ".h", ".S", ".py", ".sh", ".ld", "Makefile")
ALLOW = os.path.join("tools", "check", "sizes.allow")

_NAME = re.compile(r"(\w+)\s*\(")


def allowed(root):
    """The entries "path function" or "path" of the allow list."""
    if not os.path.isfile(os.path.join(root, ALLOW)):
        return set()
    lines = (line.split("#")[0].split() for line in tree.read(root, ALLOW))
    return {tuple(words) for words in lines if words}


def functions(lines):
    """Yields (name, first line, length) of each C function; the length includes its braces."""
    begun, name = None, ""
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            begun = number
        elif line.startswith("}") and begun:
            yield name, begun, number - begun + 1
            begun = None
        elif begun is None and line[:1].isalpha() and "(" in line:
            names = [n for n in _NAME.findall(line) if n != "__attribute__"]
            name = names[0] if names else name


def python_functions(lines):
    """The same for Python, by indentation."""
    open_ones, last = [], 0
    for number, line in enumerate([*lines, "end"], 1):
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip())
        while open_ones and indent <= open_ones[-1][0] and not line.lstrip().startswith(")"):
            _, name, begun = open_ones.pop()
            yield name, begun, last - begun + 1
        if line.lstrip().startswith("def "):
            open_ones.append((indent, line.split("def ")[1].split("(")[0], number))
        last = number


def check(root):
    """All violations below root."""
    allow, violations = allowed(root), []
    for path in tree.sources(root, ENDINGS):
        lines = tree.read(root, path)
        if len(lines) > FILE_MAX and (path,) not in allow:
            violations.append((path, len(lines), f"{len(lines)} lines, at most {FILE_MAX}"))
        measure = {".c": functions, ".h": functions, ".py": python_functions}.get(
            os.path.splitext(path)[1])
        for name, begun, length in measure(lines) if measure else ():
            if length > FUNCTION_MAX and (path, name) not in allow:
                violations.append((path, begun, f"{name}() has {length} lines, at most "
                                   f"{FUNCTION_MAX}"))
    return violations


if __name__ == "__main__":
    tree.finish(check(tree.root_argument()))
