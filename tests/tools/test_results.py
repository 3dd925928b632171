# SPDX-License-Identifier: MIT
"""From streams to results.json: collecting, judging, units, schema, report."""
import copy
import json
import os

import pytest
import streams
from tollgate import Invalid, Refused, collect, hosts, reader, report, results, store, units

FACTS = {"label": "plain", "manifest": "[vm exits]\n", "cmdline": "", "modules": [],
         "loader": "direct", "exact": True, "console": "plain.console", "memory_mib": 512,
         "command": ["qemu"], "status": 1, "timed_out": False, "seconds": 1.0}


def collector_of(data, platform="tollgate", names=("exits",), timed_out=False):
    """A judged collector that has read the stream."""
    collector = collect.Collector(platform)
    stream = reader.Reader(names)
    for event in stream.feed(data) + stream.finish():
        collector.add(event)
    collector.judge(timed_out, 5)
    return collector


def empty(host="qemu-epyc", exact=True):
    """Results without a boot."""
    return results.begin(host=host and hosts.find(host), smp=1, emulator_version="QEMU 7.2",
                         exact=exact, commit="abc", arguments=["run"])


def built(*collectors, host="qemu-epyc", **facts):
    """Results of the collectors' boots, validated."""
    made = empty(host)
    for collector in collectors:
        results.add_boot(made, collector, dict(FACTS, **facts), host and hosts.find(host))
    results.validate(made)
    return made


def by_name(made, name, **more):
    """The one benchmark of that name."""
    found = [e for e in made["benchmarks"] if e["name"] == name
             and all(e[k] == v for k, v in more.items())]
    assert len(found) == 1
    return found[0]


def test_good_boot():
    made = built(collector_of(streams.tollgate()))
    assert made["ok"] and made["problems"] == []
    cpuid = by_name(made, "exit.cpuid")
    assert (cpuid["unit"], cpuid["n"], cpuid["min"], cpuid["p50"], cpuid["p99"], cpuid["max"]) == (
        "instructions", 2000, 60, 60, 60, 900)
    assert cpuid["p999"] is None and cpuid["mean"] == 60.465
    assert cpuid["exits_per_op"] == 1 and cpuid["interrupts_per_op"] == 0.0005
    assert cpuid["vm"] == "exits" and cpuid["loop"] == "plain"
    assert cpuid["null"] == {"min": 2, "p50": 2, "max": 2, "mean": 2}
    assert cpuid["max_sample"] == {"index": 1999, "start": 1000 + 1999 * 50, "exits": 1,
                                   "interrupts": 1}
    assert made["absent"] == [{"boot": 0, "vm": "exits", "name": "ipi.self",
                               "why": "no local APIC"}]


@pytest.mark.parametrize("host, exact, unit, halting_unit, factor", [
    ("qemu-epyc", True, "instructions", "virtual-ns", 1),
    ("bochs-ryzen", True, "instructions", "virtual-ns", 10),
    ("qemu-epyc", False, "virtual-ns", "virtual-ns", 1),
    ("kvm", False, "tsc-cycles-nested", "tsc-cycles-nested", 1),
    (None, False, "tsc-cycles", "tsc-cycles", 1)])
def test_units(host, exact, unit, halting_unit, factor):
    made = built(collector_of(streams.tollgate()), host=host, exact=exact)
    assert by_name(made, "exit.empty")["unit"] == unit
    halting = by_name(made, "exit.hlt_wake")
    assert halting["unit"] == halting_unit and halting["min"] == 100 * factor


def test_silicon_under_a_hypervisor_is_nested():
    collector = collector_of(streams.tollgate())
    collector.by_type["host"][0][1]["hypervisor_bit"] = True
    made = built(collector, host=None, exact=False)
    assert by_name(made, "exit.empty")["unit"] == made["host"]["unit"] == units.CYCLES_NESTED


def test_virtual_ns_follow_the_measured_frequency():
    collector = collector_of(streams.tollgate())
    collector.by_type["host"][0][1]["tsc_hz"] = 2_000_000_000
    made = built(collector, exact=False)
    assert by_name(made, "exit.hlt_wake")["min"] == 50


def test_virtual_ns_without_a_frequency_are_no_figure():
    made = built(collector_of(streams.native(), "native", ()), exact=False)
    assert not made["ok"] and made["benchmarks"] == []
    assert "tsc_hz" in made["problems"][0]["problem"]


def test_hypervisor_may_contradict_the_unit():
    collector = collector_of(streams.tollgate())
    collector.by_type["host"][0][1]["ticks_are_instructions"] = False
    assert "not an instruction" in built(collector).get("problems")[0]["problem"]
    assert built(collector, exact=False)["ok"]


def test_native():
    made = built(collector_of(streams.native(), "native", ()), manifest=None)
    assert made["ok"]
    assert by_name(made, "exit.cpuid")["loop"] == "native"
    assert by_name(made, "exit.empty")["exits_per_op"] is None


def test_perturbation_is_measure_minus_plain():
    measured = collector_of(streams.tollgate(loop="measure"))
    for _, record in measured.by_type["bench"]:
        record["values"] = [[v + 40, n] for v, n in record["values"]]
    made = built(collector_of(streams.tollgate()), measured)
    rows = {row["name"]: row for row in made["perturbation"]}
    assert rows["exit.cpuid"]["difference"] == pytest.approx(40)
    assert rows["exit.empty"] == {"vm": "exits", "name": "exit.empty", "unit": "instructions",
                                  "plain_mean": 2, "measure_mean": 42, "difference": 40}


def parts(broken=False):
    """A benchmark in three parts."""
    whole = streams.bench("exit.port", [10] * 5 + [20] * 5 + [30] * 2)
    made = []
    for part, values in enumerate(([10] * 5, [20] * 5, [30] * 2)):
        n = len(values)
        made.append(dict(whole, part=part, parts=3, values=[[values[0], n]], null=[[2, n]],
                         starts=[[50, n]] if part else [[1000, 1], [50, n - 1]]))
    return made[:1] + made[2:] if broken else made


def stream_with(*records):
    """A whole stream in which the VM sends further records."""
    more = b"".join(map(reader.encode, records))
    marker = reader.encode({"t": "done", "status": 0})
    return streams.tollgate().replace(
        b"[exits] " + marker, streams.prefixed("exits", more) + b"[exits] " + marker)


def test_parts_are_joined():
    made = built(collector_of(stream_with(*parts())))
    entry = by_name(made, "exit.port")
    assert (entry["n"], entry["min"], entry["max"]) == (12, 10, 30)
    assert entry["max_sample"]["start"] == 1500


def test_missing_part_is_a_problem():
    made = built(collector_of(stream_with(*parts(broken=True))))
    assert not made["ok"] and "exit.port" in made["problems"][0]["problem"]
    assert "7 samples" in made["problems"][0]["problem"]


@pytest.mark.parametrize("change", [
    {"values": [[1, 5]]}, {"values": "x"}, {"n": 3}, {"n": None}, {"exits": [[1, 1]]},
    {"name": None}, {"name": ""}, {"values": [["a", 2]]}, {"starts": {}}])
def test_contradictory_bench_is_a_problem_others_survive(change):
    made = built(collector_of(stream_with(dict(streams.bench("bad", [1, 2]), **change))))
    assert len(made["problems"]) == 1 and "unusable" in made["problems"][0]["problem"]
    assert by_name(made, "exit.cpuid")


def test_odd_fields_from_a_guest_do_not_break_the_schema():
    built(collector_of(stream_with(
        streams.bench("odd", [1], warmup="many", halts="yes"), {"t": "absent"},
        {"t": "payload", "name": 5}, {"t": "done", "status": "fine"})))


def test_unknown_records_are_kept():
    made = built(collector_of(stream_with({"t": "new", "x": [1]})))
    assert made["boots"][0]["other"] == [{"source": "exits", "record": {"t": "new", "x": [1]}}]


def test_guest_cannot_speak_for_the_hypervisor():
    made = built(collector_of(stream_with({"t": "vm_end", "name": "exits", "reason": "x"})))
    assert "only Tollgate sends" in made["problems"][0]["problem"]
    assert len(made["boots"][0]["vm_ends"]) == 1


def problem_of(data, **more):
    """The first problem of a stream."""
    made = built(collector_of(data, **more))
    assert not made["ok"]
    return made["problems"][0]["problem"]


def test_corrupt_record_is_counted_and_named():
    data = streams.tollgate().replace(b"exit.cpuid", b"exit.cpuie")
    made = built(collector_of(data))
    assert made["boots"][0]["corrupt"] == 1
    assert "corrupt record from exits" in made["problems"][0]["problem"]


def test_other_problems():
    whole = streams.tollgate()
    end = whole.rindex(b"\x1e")
    assert "did not come to its end" in problem_of(whole[:end])
    assert "stopped after 5 s" in problem_of(whole[:end], timed_out=True)
    assert "did not come to its end; it last said: nothing" in problem_of(b"")


@pytest.mark.parametrize("kind, change, words", [
    ("vm_end", {"reason": "fault", "detail": "unknown exit"}, "ended by fault: unknown exit"),
    ("vm_end", {"value": 3}, "left with 3"),
    ("vm_end", {"name": "other"}, "VM exits did not end"),
    ("done", {"status": 1}, "finished with status 1"),
    ("account", {"sum": 999}, "add up to 1000, not to 999"),
    ("account", {"elapsed": 1002}, "of 1002 elapsed")])
def test_judgement(kind, change, words):
    collector = collect.Collector("tollgate")
    stream = reader.Reader({"exits"})
    for event in stream.feed(streams.tollgate()):
        if isinstance(event, reader.Record) and event.value["t"] == kind:
            event.value.update(change)
        collector.add(event)
    collector.judge(False, 1)
    assert any(words in problem for problem in collector.problems), collector.problems


def test_account_within_a_thousandth_closes():
    record = {"cpu": 0, "elapsed": 100000, "accounts": {"guest": 99901}}
    assert collect.account_problems(record) == []
    assert collect.account_problems({"cpu": 0, "elapsed": 100000, "accounts": {"guest": 99899}})
    assert collect.account_problems({"cpu": 0}) and collect.account_problems(
        {"cpu": 0, "elapsed": 1, "accounts": 5})


def test_schema_is_itself_valid_and_strict():
    import jsonschema
    schema = results.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    good = built(collector_of(streams.tollgate()))
    for damage in ({"ok": None}, {"surplus": 1}, {"stamp": "today"}):
        with pytest.raises(Invalid):
            results.validate(dict(good, **damage))
    bad = copy.deepcopy(good)
    bad["benchmarks"][0]["unit"] = "seconds"
    with pytest.raises(Invalid, match="benchmarks/0/unit"):
        results.validate(bad)
    del good["commit"]
    with pytest.raises(Invalid):
        results.validate(good)


def test_save_and_load(tmp_path):
    made = built(collector_of(streams.tollgate()))
    first = store.create(str(tmp_path), "x")
    second = store.create(str(tmp_path), "x")
    assert first != second
    for folder in (first, second):
        store.save(folder, made, "report")
        assert os.path.realpath(tmp_path / "latest") == folder
    assert results.load(str(tmp_path / "latest")) == made
    assert sorted(os.listdir(second)) == ["report.txt", "results.json"]


def test_invalid_results_are_kept_but_not_published(tmp_path):
    made = built(collector_of(streams.tollgate()))
    made["ok"] = "maybe"
    folder = store.create(str(tmp_path), "x")
    with pytest.raises(Invalid):
        store.save(folder, made, "report")
    assert os.listdir(folder) == ["results.invalid.json"]
    assert not os.path.lexists(tmp_path / "latest")


def test_load_refuses_what_is_no_result(tmp_path):
    with pytest.raises(Refused):
        results.load(str(tmp_path))
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(Refused):
        results.load(str(tmp_path))
    (tmp_path / "results.json").write_text(json.dumps({"format": 2}))
    with pytest.raises(Invalid):
        results.load(str(tmp_path))


def test_report():
    measured = collector_of(streams.tollgate(loop="measure"))
    native = collector_of(streams.native(), "native", ())
    text = report.render(built(collector_of(streams.tollgate()), measured, native))
    assert "instructions executed, not cycles" in text and "not observable" in text
    assert "benchmark [instructions]" in text and "exit.hlt_wake (virtual-ns)" in text
    row = next(line for line in text.splitlines() if line.startswith("exit.cpuid")).split()
    assert row == ["exit.cpuid", "2000", "60", "60", "60", "900", "60.47", "1", "60.47", "0",
                   "60.47"]
    assert text.count("Benchmarks: ") == 2  # the measuring twin is columns, not a table
    assert "ipi.self  VM exits, native  no local APIC" in text
    assert "guest" in text and "70.000" in text
    assert "exits  0     cpuid  4   60   61   61   61   68  250  62.50" in text
    assert "residue_in 7, residue_out 9" in text
    assert "PROBLEMS" not in text and "exit_port" in text
    assert all(len(line) <= 120 for line in text.splitlines())


def test_report_takes_native_figures_from_elsewhere():
    other = built(collector_of(streams.native(), "native", ()))
    mine = built(collector_of(streams.tollgate()))
    assert "native" not in report.render(mine)
    assert "exits/op  native" in report.render(mine, other)


def test_report_of_silicon_has_no_emulator_banner():
    text = report.render(built(collector_of(streams.tollgate()), host=None, exact=False))
    assert "Emulated" not in text and "benchmark [tsc-cycles]" in text


def test_report_shows_problems_and_missing_percentiles():
    text = report.render(built(collector_of(streams.tollgate()[:-3])))
    assert "PROBLEMS" in text and "did not come to its end" in text
    row = next(line for line in text.splitlines() if line.startswith("exit.hlt_wake")).split()
    assert row[5] == "-"


def test_two_runs_of_one_stream_give_identical_figures():
    first, second = (built(collector_of(streams.tollgate())) for _ in range(2))
    assert first["benchmarks"] == second["benchmarks"]
