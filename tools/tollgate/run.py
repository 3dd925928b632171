# SPDX-License-Identifier: MIT
"""`toll run`: boots the payload once per platform and run loop, publishes what it measured."""
import json
import os
import sys
from typing import NamedTuple, Optional

from tollgate import Refused, exectrace, hosts, launch, machine, manifest, options, opvec
from tollgate import reader, report, results, stats, store
from tollgate.collect import NATIVE, TOLLGATE, bench_series
from tollgate.session import Listener, Session

_DEFAULTS = [("memory", "64M")]
_TAIL = 40  # lines of the hypervisor's log shown when something is wrong


class Plan(NamedTuple):
    """One boot to make. manifest, None: native."""
    label: str
    platform: str
    manifest: Optional[str] = None
    modules: tuple = ()
    manifest_name: str = "manifest"  # in the hypervisor's messages


class Progress(Listener):
    """Tells on standard error what has come in; keeps every record in a file."""

    def __init__(self, label, records, out):
        self._label = label
        self._records = records
        self._out = out

    def event(self, event, problem):
        """Prints a line for each benchmark, VM end and problem."""
        if isinstance(event, reader.Record):
            json.dump({"source": event.source, "record": event.value}, self._records)
            self._records.write("\n")
            self._records.flush()
            self._tell(event)
        if problem:
            print(f"toll: {problem}", file=sys.stderr)

    def _tell(self, event):
        value, text = event.value, None
        if value["t"] == "bench" and "part" in value:
            text = f"{value.get('name')}: part {value['part']} of {value.get('parts')}"
        elif value["t"] == "bench":
            try:
                summary = stats.summarize(bench_series(value)["values"])
                text = f"{value.get('name')}: mean {summary['mean']:.2f}, n {summary['n']}"
            except stats.BadSeries:
                return  # reported when the results are put together
        elif value["t"] == "absent":
            text = f"{value.get('name')}: absent"
        elif value["t"] == "vm_end":
            text = f"VM {value.get('name')} ended: {value.get('reason')}"
        if text:
            where = f"{self._label} {event.source}".strip()
            print(f"[{where}] {text}", file=self._out, flush=True)


def _default_manifest(opts, loop):
    payload = machine.Module(opts.payload, machine.module_name(opts.payload))
    name = payload.name.removesuffix(".elf")
    settings = options.vm_settings(opts, payload, [*_DEFAULTS, ("loop", loop)])
    text = manifest.render([(name, settings)],
                           [manifest.parse_setting(line) for line in opts.machine])
    modules = [options.parse_module(word)._replace(args="") for word in opts.module]
    return text, (payload, *modules)


def _find_modules(opts, text):
    """The files for the names in a user's manifest; absent ones the hypervisor will refuse."""
    given = {m.name: m for m in map(options.parse_module, opts.module)}
    for name in manifest.module_names(text):
        if name in given:
            continue
        for folder in (os.path.dirname(opts.manifest), options.PAYLOADS):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                given[name] = machine.Module(path, name)
                break
        else:
            print(f"toll: no file for the module {name!r}; give it with --module",
                  file=sys.stderr)
    return tuple(given.values())


def _read_text(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: {error}") from None


def make_plans(opts):
    """The boots that the options ask for, in order."""
    plans = []
    if opts.platform in (TOLLGATE, "both"):
        if opts.manifest:
            text = _read_text(opts.manifest)
            plans.append(Plan("tollgate", TOLLGATE, text, _find_modules(opts, text),
                              machine.module_name(opts.manifest)))
        else:
            for loop in ("plain", "measure") if opts.loop == "both" else (opts.loop,):
                plans.append(Plan(loop, TOLLGATE, *_default_manifest(opts, loop)))
    if opts.platform in (NATIVE, "both"):
        if opts.manifest and opts.platform == NATIVE:
            raise Refused("a manifest means nothing on the platform native")
        plans.append(Plan("native", NATIVE))
    return plans


def _boot_of(plan, opts, host, folder):
    if plan.platform == NATIVE:
        return options.make_boot(opts, host, opts.payload, cmdline=opts.cmdline)
    path = os.path.join(folder, f"{plan.label}.manifest")
    store.write_text(path, plan.manifest)
    modules = [machine.manifest_module(path, plan.manifest_name), *plan.modules]
    return options.make_boot(opts, host, opts.image, text=plan.manifest, modules=modules,
                             cmdline=opts.append)


def _facts(plan, boot, outcome):
    return {"label": plan.label, "manifest": plan.manifest, "cmdline": boot.cmdline,
            "modules": [m.cmdline for m in boot.modules], "loader": boot.loader,
            "exact": boot.exact, "console": f"{plan.label}.console",
            "memory_mib": boot.memory, "command": outcome.command, "status": outcome.status,
            "timed_out": outcome.timed_out, "seconds": round(outcome.seconds, 3)}


def _run_plan(plan, opts, host, folder, collected):
    boot = _boot_of(plan, opts, host, folder)
    names = manifest.vm_names(plan.manifest) if plan.manifest else ()
    print(f"[{plan.label}] booting on {host.name}", file=sys.stderr, flush=True)
    with open(os.path.join(folder, f"{plan.label}.console"), "wb") as console, \
            open(os.path.join(folder, f"{plan.label}.records"), "w", encoding="utf-8") as records:
        session = Session(plan.platform, names, console=console,
                          listener=Progress(plan.label, records, sys.stderr))
        outcome = session.run(boot, opts.timeout, options.ISO_CACHE)
    session.collector.judge(outcome.timed_out, outcome.seconds)
    if outcome.interrupted:
        session.collector.problems.append("interrupted")
    if session.collector.problems:
        for line in session.collector.log[-_TAIL:]:
            print(f"[{plan.label}] {line}", file=sys.stderr)
        sys.stderr.write(outcome.errors)
    results.add_boot(collected, session.collector, _facts(plan, boot, outcome), host)
    return outcome


def _label(host, opts):
    what = opts.manifest or opts.payload
    what = machine.module_name(what).rpartition(".")[0] or machine.module_name(what)
    return f"{host.name}-{what}"


def _publish(folder, collected):
    """Writes the files; returns the report's text."""
    text = report.render(collected)
    store.save(folder, collected, text)
    return text


def _count_operations(opts, host, collected):
    print("[operations] counting what each exit executes", file=sys.stderr, flush=True)
    try:
        entries = opvec.count(opts.image, opts.payload, host=host.name, timeout=opts.timeout)
    except exectrace.Failed as error:
        raise Refused(f"counting operations: {error}") from None
    collected["operations"] = opvec.without_paths(entries)


def main(opts):
    """Runs the command. Returns 0, 1 when something is wrong with the results, 124 on timeout."""
    host = hosts.find(opts.host)
    plans = make_plans(opts)
    for plan in plans:
        kernel = opts.payload if plan.platform == NATIVE else opts.image
        options.make_boot(opts, host, kernel, text=plan.manifest)  # refuses before any is made
        machine.check_files(kernel, plan.modules)
    folder = store.create(opts.results, _label(host, opts))
    collected = results.begin(
        host=host, smp=opts.smp, emulator_version=launch.version(host),
        exact=options.exact(opts, host), commit=store.commit(), arguments=opts.arguments)
    timed_out = False
    for plan in plans:
        outcome = _run_plan(plan, opts, host, folder, collected)
        timed_out |= outcome.timed_out
        text = _publish(folder, collected)
        if outcome.interrupted:
            raise KeyboardInterrupt
    if opts.operations:
        _count_operations(opts, host, collected)
        text = _publish(folder, collected)
    sys.stdout.write(text)
    print(f"\nresults in {os.path.relpath(folder)}")
    return 124 if timed_out else 0 if collected["ok"] else 1


def collect(opts):
    """`toll collect`: the same from a saved console stream, taken on a real machine."""
    text = _read_text(opts.manifest) if opts.manifest else None
    try:
        with open(opts.log, "rb") as file:
            stream = file.read()
    except OSError as error:
        raise Refused(f"{opts.log}: {error.strerror}") from None
    names = () if opts.platform == NATIVE else manifest.vm_names(text) if text else None
    folder = store.create(opts.results, "silicon")
    with open(os.path.join(folder, "log.console"), "wb") as console, \
            open(os.path.join(folder, "log.records"), "w", encoding="utf-8") as records:
        session = Session(opts.platform, names, console=console,
                          listener=Progress("log", records, sys.stderr))
        session.take(stream)
        session.finish()
    session.collector.judge(False, 0)
    collected = results.begin(host=None, smp=None, emulator_version="none", exact=False,
                              commit=store.commit(), arguments=opts.arguments)
    facts = {"label": "log", "manifest": text, "cmdline": "", "modules": [],
             "loader": "unknown", "exact": False, "console": "log.console", "memory_mib": None,
             "command": [], "status": None, "timed_out": False, "seconds": None}
    results.add_boot(collected, session.collector, facts, None)
    sys.stdout.write(_publish(folder, collected))
    print(f"\nresults in {os.path.relpath(folder)}")
    return 0 if collected["ok"] else 1
