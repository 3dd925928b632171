#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Reads `nm -n` of the image, writes the assembly file of the symbol table that hv/host/symbols.c
# searches: count, addresses, names. An empty input gives the empty table of the first link.
import sys


def functions(lines):
    """Yields (address, name) of each text symbol, the first name of an address only."""
    last = None
    for line in lines:
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tT" and fields[0] != last:
            last = fields[0]
            yield int(fields[0], 16), fields[2]


def main():
    table = list(functions(sys.stdin))
    print('    .section .symbols, "a"')
    print(f"    .long {len(table)}")
    for address, _ in table:
        print(f"    .long {address:#x}")
    for _, name in table:
        print(f'    .asciz "{name}"')
    print('    .section .note.GNU-stack, "", @progbits')


main()
