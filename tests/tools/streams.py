# SPDX-License-Identifier: MIT
"""Builds console streams as the hypervisor and payloads write them."""
from tollgate import stats
from tollgate.reader import encode


def bench(name, values, **more):
    """A bench record of the given samples."""
    n = len(values)
    record = {"t": "bench", "name": name, "n": n, "warmup": 10, "halts": False,
              "values": stats.encode(values), "null": [[2, n]],
              "starts": stats.encode([1000] + [50] * (n - 1))}
    return dict(record, **more)


def payload_records(platform="tollgate"):
    """A whole payload: two benchmarks, one halting, one absent."""
    exits = {"exits": [[1, 2000]], "interrupts": [[0, 1999], [1, 1]]}
    return [{"t": "payload", "name": "exits", "platform": platform, "args": ""},
            bench("exit.empty", [2] * 2000),
            bench("exit.cpuid", [60] * 1990 + [70] * 9 + [900], **exits),
            bench("exit.hlt_wake", [100] * 50, halts=True),
            {"t": "absent", "name": "ipi.self", "why": "no local APIC"},
            {"t": "done", "status": 0}]


def prefixed(name, data):
    """data as a VM's output: each line with its prefix."""
    return b"".join(b"[" + name.encode() + b"] " + line + b"\n"
                    for line in data.split(b"\n")[:-1])


def native():
    """The stream of a payload without a hypervisor."""
    return b"hello\n" + b"".join(encode(r) for r in payload_records("native"))


def hypervisor_records(name="exits", loop="plain"):
    """(before the guest, after it)."""
    host = {"t": "host", "vendor": "AuthenticAMD", "brand": "AMD EPYC", "family": 23, "model": 1,
            "stepping": 2, "features": ["svm", "npt"], "backend": "svm", "cpus": 1, "nodes": 1,
            "tsc_hz": 1000000000, "hypervisor_bit": False, "invariant_tsc": False,
            "residue_in": 7, "residue_out": 9}
    before = [host, {"t": "vm", "id": 0, "name": name, "vcpus": 1, "memory": 1 << 26,
                     "loop": loop}]
    after = [{"t": "exits", "vm": 0, "vcpu": 0, "kind": "cpuid", "n": 4, "sum": 250, "min": 60,
              "p50": 61, "p90": 61, "p99": 61, "max": 68,
              "histogram": [[60, 61, 1], [61, 62, 2], [68, 70, 1]]},
             {"t": "vm_end", "id": 0, "name": name, "reason": "exit_port", "detail": "",
              "value": 0},
             {"t": "account", "cpu": 0, "elapsed": 1000, "sum": 1000,
              "accounts": {"guest": 700, "cpuid": 300}},
             {"t": "end", "reason": "all VMs ended"}]
    return before, after


def tollgate(name="exits", loop="plain"):
    """The stream of the hypervisor with one VM."""
    before, after = hypervisor_records(name, loop)
    guest = b"hello\n" + b"".join(encode(r) for r in payload_records())
    return (b"tollgate starts\n" + b"".join(map(encode, before)) + prefixed(name, guest)
            + b"".join(map(encode, after)))
