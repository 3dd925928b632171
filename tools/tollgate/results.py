# SPDX-License-Identifier: MIT
"""Turns collected boots into results.json, whose form tools/results.schema.json publishes."""
import json
import os
import time

from tollgate import Invalid, Refused, __version__, stats, units
from tollgate.collect import NATIVE, bench_series, join_parts

FORMAT = 1
_SCHEMA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                       "results.schema.json")


def _integer(value):
    """value if it is an integer, else None: guests may send anything."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _loop(boot, source):
    if boot["platform"] == NATIVE:
        return "native"
    for vm in boot["vms"]:
        if vm.get("name") == source:
            return str(vm.get("loop", "unknown"))
    return "unknown"


def _max_sample(series):
    index = stats.index_of_max(series["values"])
    sample = {"index": index}
    if "starts" in series:
        sample["start"] = stats.prefix_sum(series["starts"], index)
    for key in ("exits", "interrupts"):
        if key in series:
            sample[key] = stats.at(series[key], index)
    return sample


def _scaled(summary, unit, host, boot):
    """Brings a summary from ticks into the unit."""
    if unit != units.VIRTUAL_NS:
        return summary
    factor = units.ns_per_tick(host, exact=boot["exact"], tsc_hz=boot["tsc_hz"])
    if factor is None:
        raise stats.BadSeries("virtual-ns are unknown without the host's tsc_hz")
    return units.scale(summary, factor)


def benchmark(record, source, boot, index, host):
    """The entry of one bench record in results.json."""
    series = bench_series(record)
    halts = record.get("halts", False) is True
    bit = bool((boot["host"] or {}).get("hypervisor_bit"))
    unit = units.choose(host, exact=boot["exact"], hypervisor_bit=bit, halts=halts)
    entry = {"boot": index, "vm": source, "platform": boot["platform"],
             "loop": _loop(boot, source), "name": record["name"], "unit": unit}
    entry.update(_scaled(stats.summarize(series["values"]), unit, host, boot))
    entry["exits_per_op"] = stats.mean(series["exits"]) if "exits" in series else None
    entry["interrupts_per_op"] = (stats.mean(series["interrupts"])
                                  if "interrupts" in series else None)
    entry["warmup"] = _integer(record.get("warmup"))
    entry["halts"] = halts
    entry["max_sample"] = _max_sample(series)
    entry["null"] = None
    if "null" in series:
        null = _scaled(stats.summarize(series["null"]), unit, host, boot)
        entry["null"] = {key: null[key] for key in ("min", "p50", "max", "mean")}
    return entry


def _name_of(record):
    name = record.get("name")
    if not isinstance(name, str) or not name:
        raise stats.BadSeries("it has no name")
    return name


def add_boot(results, collector, facts, host):
    """Adds one judged boot. facts: the boot's own fields (see the schema); host: hosts.Host."""
    index = len(results["boots"])
    host_record = next(iter(collector.records("host")), None)
    boot = dict(facts, platform=collector.platform, host=host_record,
                tsc_hz=_integer((host_record or {}).get("tsc_hz")),
                vms=collector.records("vm"), vm_ends=collector.records("vm_end"),
                accounts=collector.records("account"), exits=collector.records("exits"),
                residues=collector.records("residue"), other=collector.other,
                end=(collector.records("end") or [None])[-1], corrupt=collector.corrupt)
    done = dict(collector.by_type["done"])
    boot["payloads"] = [{"vm": source, "record": record,
                         "status": _integer(done.get(source, {}).get("status"))}
                        for source, record in collector.by_type["payload"]]
    problems = list(collector.problems)
    if boot["exact"] and (host_record or {}).get("ticks_are_instructions") is False:
        problems.append("the hypervisor found that a tick is not an instruction here")
    entries = []
    for source, record in join_parts(collector.by_type["bench"]):
        try:
            _name_of(record)
            entries.append(benchmark(record, source, boot, index, host))
        except stats.BadSeries as error:
            problems.append(f"benchmark {record.get('name')!r} is unusable: {error}")
    if host is None and (host_record or {}).get("hypervisor_bit"):
        results["host"]["unit"] = units.CYCLES_NESTED
    results["benchmarks"] += entries
    results["absent"] += [{"boot": index, "vm": source, "name": str(record.get("name")),
                           "why": str(record.get("why", ""))}
                          for source, record in collector.by_type["absent"]]
    results["problems"] += [{"boot": index, "problem": text} for text in problems]
    results["boots"].append(boot)
    results["perturbation"] = perturbation(results["benchmarks"])
    results["ok"] = not results["problems"]


def perturbation(entries):
    """What the measuring loop adds to each figure: means of both loops, VM by VM."""
    plain = {(e["vm"], e["name"]): e for e in entries if e["loop"] == "plain"}
    rows = []
    for entry in entries:
        other = plain.get((entry["vm"], entry["name"]))
        if entry["loop"] == "measure" and other and other["unit"] == entry["unit"]:
            rows.append({"vm": entry["vm"], "name": entry["name"], "unit": entry["unit"],
                         "plain_mean": other["mean"], "measure_mean": entry["mean"],
                         "difference": entry["mean"] - other["mean"]})
    return rows


def begin(*, host, smp, emulator_version, exact, commit, arguments, stamp=None):
    """An empty result. host: hosts.Host, None for silicon."""
    described = {"name": "silicon", "emulator": "none", "cpu": "", "virtualization": "",
                 "description": "a real machine's log"}
    if host is not None:
        described = {key: getattr(host, key) for key in described}
    return {
        "format": FORMAT,
        "tool": {"name": "toll", "version": __version__},
        "commit": commit,
        "stamp": stamp or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "arguments": list(arguments),
        "host": dict(described, emulator_version=emulator_version, smp=smp,
                     unit=units.choose(host, exact=exact)),
        "boots": [], "benchmarks": [], "absent": [], "perturbation": [], "problems": [],
        "ok": True,
    }


def schema():
    """The published JSON Schema."""
    with open(_SCHEMA, encoding="utf-8") as file:
        return json.load(file)


def validate(results):
    """Refuses results that break the schema, naming the place."""
    import jsonschema  # takes a while to load; `toll boot` never needs it
    kind = jsonschema.validators.validator_for(schema())
    errors = sorted(kind(schema()).iter_errors(results), key=lambda e: list(map(str, e.path)))
    if errors:
        where = "/".join(str(part) for part in errors[0].absolute_path)
        raise Invalid(f"results.json breaks its schema ({len(errors)} places), first at "
                      f"/{where}: {errors[0].message[:300]}")


def load(folder):
    """The validated results of a folder."""
    path = os.path.join(folder, "results.json")
    try:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise Refused(f"{path}: {error}") from None
    validate(results)
    return results
