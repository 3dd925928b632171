#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every source file names its licence in the first two lines."""
import os

import tree

ENDINGS = (".c", ".h", ".S", ".py", ".sh", ".ld", ".inc", "Makefile", ".ci/run")
LINE = "SPDX-License-Identifier: MIT"


def _is_script(root, path):
    try:
        with open(os.path.join(root, path), "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def check(root):
    """All violations below root."""
    paths = set(tree.sources(root, ENDINGS))
    paths |= {path for path in tree.sources(root, "")
              if "." not in os.path.basename(path) and _is_script(root, path)}
    return [(path, 1, f"no line {LINE!r} at its top") for path in sorted(paths)
            if not any(LINE in line for line in tree.read(root, path)[:2])]


if __name__ == "__main__":
    tree.finish(check(tree.root_argument()))
