# SPDX-License-Identifier: MIT
"""Reads tests/budget."""
import os

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "budget")
CLASSES = ("all", "nrips", "decode")


def read(path=PATH):
    """[(name, class, ceiling)]; a line that is wrong raises ValueError with its number."""
    entries = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if len(words) != 3 or words[1] not in CLASSES or not words[2].isdigit():
                raise ValueError(f"{path}:{number}: not NAME {'|'.join(CLASSES)} CEILING")
            entry = (words[0], words[1], int(words[2]))
            if entry[:2] in [e[:2] for e in entries]:
                raise ValueError(f"{path}:{number}: {words[0]} {words[1]} stands twice")
            entries.append(entry)
    return entries


def of_class(host_class):
    """{name: ceiling} for machines of the class nrips or decode."""
    return {name: ceiling for name, where, ceiling in read() if where in ("all", host_class)}
