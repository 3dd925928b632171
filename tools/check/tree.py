# SPDX-License-Identifier: MIT
"""What the checkers share: the project's sources, and how violations are printed."""
import os
import subprocess
import sys

ROOTS = ("boot", "hv", "vmx", "svm", "pmu", "guest", "tests", "tools")
TOP_FILES = ("Makefile", "linker.ld", ".ci/run")
C_ENDINGS = (".c", ".h", ".S")


def sources(root, endings):
    """Paths below root, relative, of the project's files that end so; hidden ones left out."""
    found = [name for name in TOP_FILES if name.endswith(endings)
             and os.path.isfile(os.path.join(root, name))]
    for top in ROOTS:
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders[:] = sorted(f for f in folders if not f.startswith((".", "__pycache__")))
            for name in sorted(files):
                if name.endswith(endings):
                    found.append(os.path.relpath(os.path.join(folder, name), root))
    return found


def read(root, path):
    """The lines of a file."""
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def compile_header(root, path, flags):
    """Compiles a header alone; returns the compiler's words, "" when it is content."""
    done = subprocess.run(["gcc", *flags, "-I", ".", "-fsyntax-only", "-x", "c", "-"], cwd=root,
                          input=f'#include "{path}"\n', capture_output=True, text=True,
                          check=False)
    return done.stderr if done.returncode or done.stderr else ""


def finish(violations):
    """Prints "file:line: message" for each (file, line, message); exits 1 if there are any."""
    for path, line, message in violations:
        print(f"{path}:{line}: {message}")
    sys.exit(1 if violations else 0)


def root_argument():
    """The tree to check: the first argument, else the repository of this script."""
    if len(sys.argv) > 1:
        return sys.argv[1]
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
