# SPDX-License-Identifier: MIT
"""The emulated hosts that tests run on. A new backend's hosts are added here, and nowhere else."""
from typing import NamedTuple


class Platform(NamedTuple):
    """host: a name of `toll hosts`; length: the class in tests/budget; backend: the VM's.

    trap: ticks of an intercepted instruction itself: QEMU does not count it, Bochs does."""
    host: str
    length: str   # nrips: the processor tells the next RIP; decode: it does not
    trap: int = 0
    backend: str = "svm"


PLATFORMS = (
    Platform("qemu-epyc", "decode"),
    Platform("qemu-epyc-milan", "decode"),
    Platform("qemu-opteron-g3", "decode"),
    Platform("qemu-max", "decode"),
    Platform("bochs-ryzen", "nrips", trap=1),
)

# What does not depend on the emulated processor runs here alone.
MAIN = PLATFORMS[0]

# Bochs takes five seconds to its loader: what runs on two hosts only runs on these.
BOTH_EMULATORS = (PLATFORMS[0], PLATFORMS[4])
