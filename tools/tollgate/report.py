# SPDX-License-Identifier: MIT
"""Renders results.json as text: report.txt and what the terminal shows."""
import textwrap

from tollgate import opvec, table, units

_BANNERS = {
    units.INSTRUCTIONS:
        "Emulated. Figures are instructions executed, not cycles: the path length of the software, "
        "never the cost of hardware. Hardware transitions, caches and the TLB: not observable.",
    units.VIRTUAL_NS:
        "Emulated, several CPUs or a halt inside: figures are virtual nanoseconds, which count "
        "what all CPUs do, not the cost of hardware. Latency between CPUs, hardware transitions, "
        "caches and the TLB: not observable.",
    units.CYCLES_NESTED:
        "Nested: the hypervisor itself runs under another one, whose work is in the figures.",
}
_WIDTH = 100


def _heading(text):
    return ["", text, "=" * len(text)]


def _head(results):
    host = results["host"]
    lines = [f"Tollgate results of {results['stamp']}, commit {results['commit']}",
             f"host {host['name']}: {host['cpu']} ({host['virtualization']}), "
             f"{host['smp'] or 'unknown number of'} CPU, {host['emulator_version']}"]
    for boot in results["boots"]:
        record = boot["host"]
        if record:
            lines.append(f"processor: {record.get('brand') or record.get('vendor', 'unknown')}"
                         f", features: {' '.join(map(str, record.get('features', []))) or 'none'}")
            break
    banner = _BANNERS.get(host["unit"])
    if banner:
        lines += ["", *textwrap.wrap(banner, _WIDTH)]
    return lines


def _native_means(results):
    return {e["name"]: e for e in results["benchmarks"] if e["platform"] == "native"}


def _groups(entries):
    """Groups of (boot, VM), of which the measuring twin of a plain group is left out."""
    groups = {}
    for entry in entries:
        groups.setdefault((entry["boot"], entry["vm"]), []).append(entry)
    plain = {vm for (_, vm), group in groups.items() if group[0]["loop"] == "plain"}
    return [(key, group) for key, group in groups.items()
            if not (group[0]["loop"] == "measure" and key[1] in plain)]


def _with_unit(name, entry, unit):
    return name if entry["unit"] == unit else f"{name} ({entry['unit']})"


def _bench_table(group, measured, native):
    """One table. measured: name -> perturbation row, native: name -> native entry."""
    counts = {}
    for entry in group:
        counts[entry["unit"]] = counts.get(entry["unit"], 0) + 1
    unit = max(counts, key=counts.get)
    header = [f"benchmark [{unit}]", "n", "min", "p50", "p99", "max", "mean", "exits/op"]
    header += ["measuring", "perturb."] if measured else []
    header += ["native"] if native else []
    rows = []
    for entry in group:
        row = [_with_unit(entry["name"], entry, unit)]
        row += [entry[key] for key in ("n", "min", "p50", "p99", "max", "mean", "exits_per_op")]
        if measured:
            other = measured.get(entry["name"], {})
            row += [other.get("measure_mean"), other.get("difference")]
        if native:
            other = native.get(entry["name"])
            row.append(other["mean"] if other and other["unit"] == entry["unit"] else None)
        rows.append(row)
    return table.render(header, rows)


def _null_line(entries):
    """The empty pair that the payload times just before each sample."""
    if not entries:
        return []
    low, high = (f(e["null"][key] for e in entries) for f, key in ((min, "min"), (max, "max")))
    total = sum(e["n"] for e in entries)
    mean = sum(e["null"]["mean"] * e["n"] for e in entries) / total
    return [f"null test beside every sample, not subtracted: min {table.number(low)}, mean "
            f"{table.number(mean)}, max {table.number(high)}"]


def _benchmarks(results, native):
    lines = []
    for (_, vm), group in _groups(results["benchmarks"]):
        first = group[0]
        on_native = first["platform"] == "native"
        title = "native" if on_native else f"VM {vm}, {first['loop']} loop"
        measured = {row["name"]: row for row in results["perturbation"]
                    if row["vm"] == vm and first["loop"] == "plain"}
        lines += _heading(f"Benchmarks: {title}")
        lines += _bench_table(group, measured, None if on_native else native)
        lines += _null_line([e for e in group if e["null"] and not e["halts"]])
    return lines


def _absent(results):
    if not results["absent"]:
        return []
    seen = {}
    for row in results["absent"]:
        boot = results["boots"][row["boot"]]
        where = "native" if boot["platform"] == "native" else f"VM {row['vm']}"
        seen.setdefault((row["name"], row["why"]), []).append(where)
    return _heading("Absent operations") + table.render(
        ["name", "where", "why"],
        [(name, ", ".join(dict.fromkeys(where)), why) for (name, why), where in seen.items()],
        left=3)


def _account_rows(record):
    accounts = record.get("accounts", {})
    elapsed = record.get("elapsed") or 0
    rows = [(name, ticks, f"{100 * ticks / elapsed:.3f}" if elapsed else "-")
            for name, ticks in sorted(accounts.items(), key=lambda item: -item[1]) if ticks]
    total = sum(accounts.values())
    rows.append(("sum", total, f"{100 * total / elapsed:.3f}" if elapsed else "-"))
    rows.append(("elapsed", elapsed, ""))
    return rows


def _boot_title(results, index):
    loops = {vm.get("loop") for vm in results["boots"][index]["vms"]} - {None}
    return f"boot {index + 1}" + (f" ({', '.join(sorted(loops))} loop)" if loops else "")


def _accounts(results):
    lines = []
    for index, boot in enumerate(results["boots"]):
        for record in boot["accounts"]:
            try:
                rows = _account_rows(record)
            except (TypeError, AttributeError):
                continue  # already among the problems
            lines += _heading(f"Where the time of CPU {record.get('cpu')} went: "
                              f"{_boot_title(results, index)}")
            lines += table.render(["account", "ticks", "%"], rows)
    return lines


_EXIT_COLUMNS = ("n", "min", "p50", "p90", "p99", "max")


def _exit_row(record, names):
    n, total = record.get("n"), record.get("sum")
    return [names.get(record.get("vm"), record.get("vm")), record.get("vcpu"), record.get("kind"),
            *(record.get(column) for column in _EXIT_COLUMNS), total,
            total / n if n and isinstance(total, int) else None]


def _residues(boot):
    """What the measuring loop executes outside its stamps, as the hypervisor published it."""
    found = {key: value for key, value in (boot["host"] or {}).items()
             if key.startswith("residue")}
    for record in boot["residues"]:
        found.update((key, value) for key, value in record.items() if key != "t")
    if not found:
        return []
    fields = ", ".join(f"{key} {table.number(value)}" for key, value in found.items())
    return textwrap.wrap(f"instructions of an exit outside the stamps: {fields}", _WIDTH)


def _exits(results):
    lines = []
    for index, boot in enumerate(results["boots"]):
        if not boot["exits"]:
            continue
        names = {vm.get("id"): vm["name"] for vm in boot["vms"]}
        rows = [_exit_row(record, names) for record in boot["exits"]]
        lines += _heading(f"Exits, ticks between the stamps: {_boot_title(results, index)}")
        lines += table.render(["VM", "vCPU", "kind", *_EXIT_COLUMNS, "sum", "mean"], rows,
                              left=3)
        lines += _residues(boot)
    return lines


def _ends(results):
    rows = []
    for index, boot in enumerate(results["boots"]):
        for end in boot["vm_ends"]:
            rows.append((_boot_title(results, index), end.get("name"), end.get("reason"),
                         end.get("value"), end.get("detail") or ""))
    if not rows:
        return []
    return _heading("How the VMs ended") + table.render(
        ["boot", "VM", "reason", "value", "detail"], rows, left=5)


def _problems(results):
    if not results["problems"]:
        return []
    lines = _heading("PROBLEMS: these results are not to be trusted as they are")
    for row in results["problems"]:
        lines += textwrap.wrap(f"boot {row['boot'] + 1}: {row['problem']}", _WIDTH,
                               subsequent_indent="    ")
    return lines


def _operations(results):
    entries = results.get("operations")
    if not entries:
        return []
    return _heading("What the hypervisor executes in each exit, plain loop") + \
        opvec.table(entries).split("\n")


def render(results, native=None):
    """The whole report. native: other results whose native figures make a column, if any."""
    native_means = _native_means(native or results)
    lines = _head(results)
    for section in (_benchmarks(results, native_means), _absent(results), _operations(results),
                    _accounts(results),
                    _exits(results), _ends(results), _problems(results)):
        lines += section
    return "\n".join(lines) + "\n"
