# SPDX-License-Identifier: MIT
"""Gathers what one boot tells: records by type, log lines, and everything that is wrong."""
from tollgate import reader, stats

NATIVE, TOLLGATE = "native", "tollgate"
PLATFORMS = (TOLLGATE, NATIVE)
_HYPERVISOR = ("host", "vm", "vm_end", "account", "exits", "residue", "end")
_PAYLOAD = ("payload", "bench", "absent", "done")
_TOLERANCE = 0.001  # of elapsed ticks, by which an account may fail to close
ORDERLY = ("poweroff", "exit_port")


class Collector:
    """Takes the events of a Reader; by_type holds [(source, record)] for each known type."""

    def __init__(self, platform):
        self.platform = platform
        self.by_type = {kind: [] for kind in _HYPERVISOR + _PAYLOAD}
        self.other = []
        self.corrupt = 0
        self.problems = []
        self.log = []  # the hypervisor's lines (all lines when native)

    def add(self, event):
        """Takes one event. Returns the problem it is, if it is one."""
        problem = None
        if isinstance(event, reader.Record):
            problem = self._add_record(event.source, event.value)
        elif isinstance(event, reader.Corrupt):
            self.corrupt += 1
            problem = (f"corrupt record from {event.source or 'the console'}: {event.reason}: "
                       f"{event.raw[:60]!r}")
        elif not event.source:
            self.log.append(event.text.decode(errors="replace"))
        if problem:
            self.problems.append(problem)
        return problem

    def _add_record(self, source, value):
        kind = value["t"]
        if kind in _HYPERVISOR and (source or self.platform == NATIVE):
            self.other.append({"source": source, "record": value})
            return f"a guest ({source or 'native'}) sent a record that only Tollgate sends: {kind}"
        if kind not in self.by_type:
            self.other.append({"source": source, "record": value})
            return None
        self.by_type[kind].append((source, value))
        return None

    def records(self, kind):
        """The records of a type, without their sources."""
        return [value for _, value in self.by_type[kind]]

    def over(self):
        """Whether the last record has arrived."""
        return bool(self.by_type["done" if self.platform == NATIVE else "end"])

    def judge(self, timed_out, seconds):
        """Once the boot is over: adds the problems that only the whole shows."""
        if timed_out:
            self.problems.append(f"stopped after {seconds:.0f} s of wall time")
        elif not self.over():
            what = "payload" if self.platform == NATIVE else "hypervisor"
            last = next((line for line in reversed(self.log) if line.strip()), "nothing")
            self.problems.append(f"the {what} did not come to its end; it last said: {last}")
        self._judge_vms()
        self._judge_payloads()
        for record in self.records("account"):
            self.problems += account_problems(record)

    def _judge_vms(self):
        ended = {record.get("name") for record in self.records("vm_end")}
        for record in self.records("vm"):
            if record.get("name") not in ended:
                self.problems.append(f"VM {record.get('name')} did not end")
        for record in self.records("vm_end"):
            reason = record.get("reason")
            if reason not in ORDERLY:
                self.problems.append(f"VM {record.get('name')} ended by {reason}: "
                                     f"{record.get('detail', '')}".rstrip(": "))
            elif reason == "exit_port" and record.get("value"):
                self.problems.append(f"VM {record.get('name')} left with {record['value']}")

    def _judge_payloads(self):
        done = dict(self.by_type["done"])
        for source, record in self.by_type["payload"]:
            status = done.get(source, {}).get("status")
            if status != 0:
                end = "did not finish" if status is None else f"finished with status {status}"
                where = f" in VM {source}" if source else ""
                self.problems.append(f"payload {record.get('name')}{where} {end}")


def account_problems(record):
    """What is wrong with an account record: it must sum to the elapsed ticks."""
    try:
        cpu, elapsed = record["cpu"], record["elapsed"]
        total = sum(record["accounts"].values())
    except (KeyError, TypeError, AttributeError):
        return [f"an account record is malformed: {record!r:.200}"]
    problems = []
    if record.get("sum", total) != total:
        problems.append(f"CPU {cpu}: the accounts add up to {total}, not to {record['sum']}")
    if abs(total - elapsed) > _TOLERANCE * elapsed:
        problems.append(f"CPU {cpu}: the accounts add up to {total} of {elapsed} elapsed ticks")
    return problems


SERIES = ("values", "null", "starts", "exits", "interrupts")


def join_parts(records):
    """[(source, bench record)] with those sent in parts made whole; a missing part shows in n."""
    whole, joined = [], {}
    for source, record in records:
        key = (source, record.get("name"))
        if "part" not in record:
            whole.append((source, record))
        elif not isinstance(record.get("name"), str) or key not in joined:
            joined[key] = dict(record)
            whole.append((source, joined[key]))
        else:
            for name in SERIES:
                if isinstance(joined[key].get(name), list) and isinstance(record.get(name), list):
                    joined[key][name] = joined[key][name] + record[name]
    return whole


def bench_series(record):
    """Checks a bench record's series against each other; returns them, still encoded, by name."""
    series = {}
    n = record.get("n")
    for key in SERIES:
        if key not in record:
            continue
        length = stats.check_runs(record[key], key, signed=key == "starts")
        if length != n:
            raise stats.BadSeries(f"{key} has {length} samples, n is {n}")
        series[key] = record[key]
    if "values" not in series:
        raise stats.BadSeries("no values")
    return series
