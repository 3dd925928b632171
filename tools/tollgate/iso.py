# SPDX-License-Identifier: MIT
"""Boot ISOs for one boot each, kept in build/iso under the hash of what is in them."""
import hashlib
import os
import shutil
import subprocess
import tempfile

from tollgate import Refused

_KEPT = 8  # images; older ones are removed


def _quote(word):
    """A word for grub.cfg."""
    return "'" + word.replace("'", "'\\''") + "'"


def _words(text):
    return " ".join(_quote(word) for word in text.split())


def _commands(boot, protocol):
    """What loads the kernel and its modules by one protocol."""
    module = "module2" if protocol == "multiboot2" else "module"
    kernel = f"    {protocol} {_quote('/boot/' + boot.kernel)} {_words(boot.cmdline)}"
    return [kernel.rstrip()] + [f"    {module} {_quote('/boot/' + m.path)} {_words(m.cmdline)}"
                                for m in boot.modules]


def grub_config(boot):
    """The text of grub.cfg for a staged boot: no menu, no wait."""
    lines = ["set timeout=0", "set default=0", "terminal_output console", "menuentry boot {"]
    if boot.protocol == "auto":
        # Under a BIOS, multiboot 2 would make GRUB set a graphics mode, which Bochs does not survive.
        lines += ['if [ "$grub_platform" = efi ]; then', "    insmod all_video",
                  *_commands(boot, "multiboot2"), "else", *_commands(boot, "multiboot"), "fi"]
    else:
        lines += _commands(boot, boot.protocol)
    return "\n".join(lines + ["    boot", "}", ""])


def _hash(config, folder, names):
    digest = hashlib.sha256(config.encode())
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            content = file.read()
        digest.update(b"%s %d\n" % (name.encode(), len(content)))
        digest.update(content)
    return digest.hexdigest()[:16]


def _prune(cache):
    images = [os.path.join(cache, n) for n in os.listdir(cache) if n.endswith(".iso")]
    for path in sorted(images, key=os.path.getmtime)[:-_KEPT]:
        os.unlink(path)


def _make(path, config, folder, names):
    with tempfile.TemporaryDirectory(prefix="toll-iso-") as tree:
        os.makedirs(os.path.join(tree, "boot", "grub"))
        with open(os.path.join(tree, "boot", "grub", "grub.cfg"), "w", encoding="utf-8") as file:
            file.write(config)
        for name in names:
            shutil.copyfile(os.path.join(folder, name), os.path.join(tree, "boot", name))
        new = f"{path}.{os.getpid()}"
        try:
            made = subprocess.run(["grub-mkrescue", "-o", new, tree], capture_output=True,
                                  text=True, check=False, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise Refused("grub-mkrescue is not installed: run tools/setup image") from None
        if made.returncode:
            raise Refused(f"grub-mkrescue failed:\n{made.stderr.strip()}")
        os.replace(new, path)


def build(boot, folder, cache):
    """The path of an ISO holding the boot staged in folder, made unless the cache has it."""
    os.makedirs(cache, exist_ok=True)
    config = grub_config(boot)
    names = [boot.kernel, *(m.path for m in boot.modules)]
    path = os.path.abspath(os.path.join(cache, _hash(config, folder, names) + ".iso"))
    if os.path.exists(path):
        os.utime(path)
    else:
        _make(path, config, folder, names)
        _prune(cache)
    return path
