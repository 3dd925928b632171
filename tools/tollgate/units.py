# SPDX-License-Identifier: MIT
"""Which of the four units a figure has. A tick is not always an instruction."""

INSTRUCTIONS = "instructions"
VIRTUAL_NS = "virtual-ns"
CYCLES = "tsc-cycles"
CYCLES_NESTED = "tsc-cycles-nested"
ALL = (INSTRUCTIONS, VIRTUAL_NS, CYCLES, CYCLES_NESTED)


def choose(host, *, exact, hypervisor_bit=False, halts=False):
    """The unit of a figure taken on a host (hosts.Host, None: silicon).

    exact: one CPU, and the emulator counts one tick an instruction.
    halts: the interval holds a halt, during which time passes without instructions.
    """
    if host is None:
        return CYCLES_NESTED if hypervisor_bit else CYCLES
    if host.emulator == "kvm":
        return CYCLES_NESTED
    return INSTRUCTIONS if exact and not halts else VIRTUAL_NS


def ns_per_tick(host, *, exact, tsc_hz):
    """Factor from ticks to nanoseconds of virtual time; None when the machine did not say."""
    if exact:
        return host.ns_per_tick
    if tsc_hz:
        return 1e9 / tsc_hz
    return None


def scale(summary, factor):
    """A summary (stats.summarize) with every tick figure multiplied by factor."""
    if factor == 1:
        return summary
    return {key: value if key == "n" or value is None else value * factor
            for key, value in summary.items()}
