# SPDX-License-Identifier: MIT
"""Hosts, manifests, and the emulators' command lines and files."""
import os

import pytest
from tollgate import Refused, bochs, cli, hosts, iso, machine, manifest, options, qemu


@pytest.mark.parametrize("name, found", [
    ("qemu-epyc", "qemu-epyc"), ("QEMU-EPYC", "qemu-epyc"), ("EPYC", "qemu-epyc"),
    ("EPYC-Milan", "qemu-epyc-milan"), ("Opteron_G3", "qemu-opteron-g3"),
    ("opteron-g2", "qemu-opteron-g2-nonpt"), ("max", "qemu-max"), ("nosvm", "qemu-nosvm"),
    ("ryzen", "bochs-ryzen"), ("corei7_skylake_x", "bochs-skylake-x"), (" kvm ", "kvm"),
    (hosts.DEFAULT, "qemu-epyc")])
def test_find_host(name, found):
    assert hosts.find(name).name == found


@pytest.mark.parametrize("name", ["", "pdp-11", "qemu", "qemu-epyc,foo"])
def test_unknown_host_lists_the_known(name):
    with pytest.raises(Refused) as caught:
        hosts.find(name)
    assert "qemu-opteron-g3" in str(caught.value) and "bochs-ryzen" in str(caught.value)


def test_host_names_are_distinct_and_listed():
    names = [h.name for h in hosts.HOSTS]
    assert len(set(names)) == len(names)
    assert all(name in hosts.render() for name in names)


def boot(**more):
    """A boot of staged files."""
    fields = {"host": hosts.find("qemu-epyc"), "kernel": "tollgate.elf"}
    return machine.Boot(**dict(fields, **more))


def test_qemu_exact_flags():
    words = " ".join(qemu.command(boot(cmdline="console=e9")))
    for part in ("-cpu EPYC,+svm,+npt", "-icount shift=0,sleep=off", "-seed 1", "-nodefaults",
                 "-rtc base=2026-01-01,clock=vm", "-display none", "-no-reboot", "-smp 1",
                 "-device isa-debug-exit,iobase=0xf4,iosize=0x04", "-debugcon stdio",
                 "-kernel tollgate.elf -append console=e9", "-accel tcg"):
        assert part in words


def test_qemu_without_icount_and_kvm():
    assert "-icount" not in qemu.command(boot(exact=False, smp=2))
    words = qemu.command(boot(host=hosts.find("kvm"), exact=False))
    assert words[1:5] == ["-accel", "kvm", "-cpu", "host"]


def test_qemu_modules_escape_commas():
    modules = (machine.Module("manifest", "manifest"),
               machine.Module("a.elf", "a.elf", "x=1,2 y"))
    words = qemu.command(boot(modules=modules))
    assert words[words.index("-initrd") + 1] == "manifest,a.elf x=1,,2 y"


def test_qemu_from_iso():
    words = qemu.command(boot(loader=machine.BIOS), "/x.iso")
    assert "-kernel" not in words and words[-2:] == ["-cdrom", "/x.iso"]


def test_bochs_files(tmp_path):
    words = bochs.command(boot(host=hosts.find("ryzen"), smp=2), "/x.iso", str(tmp_path))
    assert words == ["bochs", "-q", "-f", "bochsrc", "-rc", "go"]
    text = (tmp_path / "bochsrc").read_text()
    for part in ("model=ryzen, count=2, ips=100000000", "sync=none", "port_e9_hack: enabled=1",
                 'display_library: rfb, options="timeout=0"', 'path="/x.iso"',
                 "error: action=ignore"):
        assert part in text
    assert (tmp_path / "go").read_text() == "c\n"


def test_grub_configuration_quotes():
    modules = (machine.Module("m", "m", "it's $x"),)
    text = iso.grub_config(boot(cmdline="a=1 b", modules=modules))
    efi, bios = text.split("else")
    assert "multiboot2 '/boot/tollgate.elf' 'a=1' 'b'\n" in efi
    assert "module2 '/boot/m' 'm' 'it'\\''s' '$x'" in efi
    assert "multiboot '/boot/tollgate.elf' 'a=1' 'b'\n" in bios
    assert "module '/boot/m' 'm' 'it'\\''s' '$x'" in bios
    assert "module2" not in iso.grub_config(boot(protocol="multiboot"))


def test_iso_cache_follows_the_content(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(iso, "_make", lambda path, *rest: made.append(path) or
                        open(path, "w", encoding="utf-8").close())
    (tmp_path / "tollgate.elf").write_text("one")
    cache = str(tmp_path / "cache")
    first = iso.build(boot(), str(tmp_path), cache)
    assert iso.build(boot(), str(tmp_path), cache) == first and len(made) == 1
    (tmp_path / "tollgate.elf").write_text("two")
    assert iso.build(boot(), str(tmp_path), cache) != first
    assert iso.build(boot(cmdline="x"), str(tmp_path), cache) not in made[:2]
    for i in range(12):
        iso.build(boot(cmdline=str(i)), str(tmp_path), cache)
    assert len(os.listdir(cache)) == 8


def test_stage_gives_short_names(tmp_path):
    deep = tmp_path / "a folder" / "with, comma"
    deep.mkdir(parents=True)
    for name in ("k.elf", "my guest.elf"):
        (deep / name).write_text(name)
    stage = tmp_path / "stage"
    stage.mkdir()
    path = str(deep / "my guest.elf")
    made = machine.stage(boot(kernel=str(deep / "k.elf"), modules=(
        machine.Module(path, machine.module_name(path), "arg"),)), str(stage))
    assert made.kernel == "k.elf"
    assert made.modules[0].path == "my_guest.elf"
    assert made.modules[0].cmdline == "my_guest.elf arg"
    assert (stage / "my_guest.elf").read_text() == "my guest.elf"


def test_long_module_names_stay_distinct():
    first, second = (machine.module_name("x" * 40 + end) for end in "ab")
    assert first != second and len(first) == len(second) == manifest.NAME_MAX


def test_missing_and_clashing_files_are_refused(tmp_path):
    (tmp_path / "k").write_text("")
    good = str(tmp_path / "k")
    with pytest.raises(Refused, match="no such file"):
        machine.check_files(str(tmp_path / "absent"), ())
    with pytest.raises(Refused, match="two modules"):
        machine.check_files(good, (machine.Module(good, "m"), machine.Module(good, "m")))


def test_manifest_text():
    text = manifest.render([("a", [("memory", "64M"), ("image", "x.elf")]), ("b", [])],
                           [("pool_pages", "9")])
    assert text == ("#tollgate\n[machine]\npool_pages = 9\n\n[vm a]\nmemory = 64M\n"
                    "image = x.elf\n\n[vm b]\n")
    assert manifest.vm_names(text) == ["a", "b"]


def test_manifest_merge():
    merged = manifest.merge([("memory", "64M"), ("loop", "plain")],
                            [("loop", "measure"), ("inject", "a:1"), ("inject", "b:2")])
    assert merged == [("memory", "64M"), ("loop", "measure"), ("inject", "a:1"),
                      ("inject", "b:2")]


def test_manifest_reading():
    text = ("[ machine ]\nimage = no\n[vm a] # c\nimage = x.elf # y\nmemory=1G\nmodule = m arg\n"
            "[vm b]\nimage = x.elf\nmemory = 512k\nmodule =\nmemory = soon\n")
    assert manifest.vm_names(text) == ["a", "b"]
    assert manifest.module_names(text) == ["x.elf", "m"]
    assert manifest.megabytes(text) == 1024


@pytest.mark.parametrize("text", ["memory", "=x", "a=b\nc=d"])
def test_bad_settings(text):
    with pytest.raises(Refused):
        manifest.parse_setting(text)


@pytest.mark.parametrize("arguments, exact", [
    ([], True), (["--smp", "2"], False), (["--smp", "2", "--icount", "on"], True),
    (["--icount", "off"], False), (["--loader", "bios"], True), (["--loader", "uefi"], False),
    (["--host", "kvm", "--icount", "on"], False), (["--host", "ryzen"], True)])
def test_when_instructions_are_counted(arguments, exact):
    opts = cli.make_parser().parse_args(["run", *arguments])
    assert options.exact(opts, hosts.find(opts.host)) == exact


def test_bochs_boots_from_an_iso_by_bios():
    parse = cli.make_parser().parse_args
    ryzen = hosts.find("ryzen")
    assert options.make_boot(parse(["run"]), ryzen, "k").loader == machine.BIOS
    with pytest.raises(Refused, match="BIOS only"):
        options.make_boot(parse(["run", "--loader", "uefi"]), ryzen, "k")
