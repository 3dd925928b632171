# SPDX-License-Identifier: MIT
"""The results folder: results/STAMP-HOST-WHAT/ with its files, and results/latest."""
import json
import os
import subprocess
import time

from tollgate import results as results_module

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def commit():
    """The commit of the tree that holds this tool, "unknown" outside git."""
    try:
        done = subprocess.run(["git", "-C", REPOSITORY, "describe", "--always", "--dirty"],
                              capture_output=True, text=True, check=True)
        return done.stdout.strip() or "unknown"
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def create(root, label):
    """Makes and returns a new folder under root whose name begins with the UTC time."""
    os.makedirs(root, exist_ok=True)
    base = os.path.join(root, time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + label)
    for suffix in ("", *(f"-{i}" for i in range(2, 1000))):
        try:
            os.mkdir(base + suffix)
            return base + suffix
        except FileExistsError:
            continue
    raise FileExistsError(base)


def write_text(path, text):
    """Writes a whole file or nothing."""
    new = f"{path}.new"
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(new, path)


def save(folder, results, report):
    """Validates and writes results.json and report.txt, then points `latest` at the folder.

    Results that break the schema are kept as results.invalid.json, and Refused is raised.
    """
    text = json.dumps(results, indent=1) + "\n"
    try:
        results_module.validate(results)
    except Exception:
        write_text(os.path.join(folder, "results.invalid.json"), text)
        raise
    write_text(os.path.join(folder, "results.json"), text)
    write_text(os.path.join(folder, "report.txt"), report)
    point_latest(folder)


def point_latest(folder):
    """Makes the link `latest` beside the folder point to it, in one step."""
    root, name = os.path.split(os.path.abspath(folder))
    new = os.path.join(root, f".latest.{os.getpid()}")
    if os.path.lexists(new):
        os.unlink(new)
    os.symlink(name, new)
    os.replace(new, os.path.join(root, "latest"))
