# SPDX-License-Identifier: MIT
"""Guest images that the tests assemble, and hypervisors with a mistake built in."""
import os
import shutil
import subprocess

# Ends the VM with the value 7 after writing a letter: runs in every mode.
_SAY_AND_EXIT = """
    mov ${letter}, %al
    out %al, $0xe9
    mov $10, %al
    out %al, $0xe9
    mov $7, %al
    out %al, $0xf4
1:  hlt
    jmp 1b
"""

# Says Z when 64 KiB from EDI on are zero, N when not; then as above.
_LOOK = """
    mov $0x4000, %ecx
    xor %eax, %eax
    cld
    repe scasl
    mov $'Z', %al
    je 2f
    mov $'N', %al
2:  out %al, $0xe9
    mov $10, %al
    out %al, $0xe9
    mov $7, %al
    out %al, $0xf4
"""

# An a.out-like image: the multiboot header's address fields tell where things go.
_KLUDGE = """
start:
    .balign 4
header:
    .long 0x1badb002, 0x10003, -(0x1badb002 + 0x10003)
    .long header, start, end, bss_end, entry
entry:
    cmp $0x2badb002, %eax
    jne 1f
""" + _SAY_AND_EXIT.replace("{letter}", "'K'") + """
end:
    .set bss_end, end + 4096
"""

# name: (bits, address, assembly)
SOURCES = {
    "real": (16, 0x7c00, _SAY_AND_EXIT.replace("{letter}", "'R'")),
    "protected": (32, 0x100000, _SAY_AND_EXIT.replace("{letter}", "'P'")),
    "long": (64, 0x200000, _SAY_AND_EXIT.replace("{letter}", "'L'")),
    "kludge": (32, 0x100000, _KLUDGE),
    "zero": (32, 0x100000, "    mov $0x400000, %edi\n" + _LOOK),
}


def assemble(name, path):
    """Writes the flat binary of SOURCES[name] to path."""
    bits, address, text = SOURCES[name]
    source, object_file = path + ".S", path + ".o"
    with open(source, "w", encoding="ascii") as out:
        out.write(f"    .code{bits}\n    .globl _start\n_start:\n{text}\n")
    wide = bits == 64
    subprocess.run(["gcc", "-m64" if wide else "-m32", "-c", source, "-o", object_file],
                   check=True, capture_output=True)
    subprocess.run(["ld", "-m", "elf_x86_64" if wide else "elf_i386", "--oformat", "binary",
                    f"-Ttext={address:#x}", "-o", path, object_file],
                   check=True, capture_output=True)


# name: (file, text to find, what replaces it): each skips one stamp of the measuring loop.
MUTANTS = {
    "guest_not_charged": ("hv/measure/account.c",
                          "a->ticks[ACCOUNT(GUEST)] += left - entered;", ""),
    "exit_stamp_not_kept": ("hv/measure/account.c", "    a->last = left;\n", ""),
    "no_first_stamp": ("svm/enter.S", "    mov %eax, SVM_LEFT(%rcx)\n", ""),
    "no_second_stamp": ("svm/enter.S", "    mov %eax, SVM_ENTERED(%rcx)", "    "),
}

_SOURCE_FOLDERS = ("boot", "hv", "svm", "vmx", "pmu", "guest")


def mutant(name, root, build, folder):
    """Builds MUTANTS[name] below folder from a copy of the sources; returns the image's path."""
    tree = os.path.join(folder, "tree")
    os.mkdir(tree)
    for part in _SOURCE_FOLDERS:
        if os.path.isdir(os.path.join(root, part)):
            shutil.copytree(os.path.join(root, part), os.path.join(tree, part))
    for part in ("Makefile", "linker.ld"):
        shutil.copy2(os.path.join(root, part), tree)
    if build == os.path.join(root, "build"):  # then make knows what is up to date
        for part in ("obj", "gen"):
            shutil.copytree(os.path.join(build, part), os.path.join(tree, "build", part))
    file, find, replacement = MUTANTS[name]
    path = os.path.join(tree, file)
    with open(path, encoding="utf-8") as source:
        text = source.read()
    assert text.count(find) == 1, f"{file} has {text.count(find)} times: {find}"
    with open(path, "w", encoding="utf-8") as source:
        source.write(text.replace(find, replacement))
    made = subprocess.run(["make", "BUILD=build", "image-elf"], cwd=tree, check=False,
                          capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return os.path.join(tree, "build", "tollgate.elf")
