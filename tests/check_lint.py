#!/usr/bin/env python3
"""clang-format and clang-tidy over all sources, as errors.

What passed is remembered under $B/lint by a hash of the file, the headers it
was compiled with (the compiler's .d file) and the configuration, so that a
second run looks only at what changed.
"""
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys

BUILD = pathlib.Path(os.environ.get("B", "build"))
FOLDERS = ["support", "ir", "frontend", "passes", "codegen", "cli", "runtime", "tests", "tests/unit",
           "tests/models", "tests/device", "tests/fuzz"]
PKGS = ["libxml-2.0", "libgvc", "libprotobuf-c"]


def sources():
    return [p for folder in FOLDERS for p in sorted(pathlib.Path(folder).glob("*.c"))]


def flags_of(path):
    std = "c99" if path.parts[0] == "runtime" else "gnu11"
    posix = ["-D_POSIX_C_SOURCE=200809L"] if std == "c99" else []
    return [f"-std={std}", "-I.", f"-I{BUILD}"] + posix + PKG_FLAGS


def pkg_flags():
    try:
        text = subprocess.run(["pkg-config", "--cflags"] + PKGS, capture_output=True, text=True)
    except OSError:
        return []
    return text.stdout.split()


def fingerprint(path):
    """Hash of all that a verdict on PATH depends on."""
    digest = hashlib.sha256()
    deps = {str(path), ".clang-format", ".clang-tidy", "tests/check_lint.py"}
    listing = BUILD / path.with_suffix(".d")
    if listing.exists():
        deps |= {d for d in re.split(r"[\s\\]+", listing.read_text().replace(":", " "))
                 if d.endswith((".h", ".def")) and not d.startswith("/")}
    for dep in sorted(deps):
        if os.path.exists(dep):
            digest.update(dep.encode() + b"\0" + pathlib.Path(dep).read_bytes() + b"\0")
    return digest.hexdigest()


def complaints(path):
    formatted = subprocess.run(["clang-format-14", "--dry-run", "-Werror", str(path)],
                               capture_output=True, text=True)
    if formatted.returncode:
        first = [line for line in formatted.stderr.splitlines() if ": error: " in line]
        return first[:5] + ["`make format` repairs it"]
    tidy = subprocess.run(["clang-tidy-14", "--quiet", "--warnings-as-errors=*", str(path), "--"]
                          + flags_of(path), capture_output=True, text=True)
    return [line for line in tidy.stdout.splitlines() + tidy.stderr.splitlines()
            if line and "warnings generated" not in line] if tidy.returncode else []


def lint(path):
    stamp = BUILD / "lint" / path.with_suffix(".ok")
    now = fingerprint(path)
    if stamp.exists() and stamp.read_text() == now:
        return path, []
    found = complaints(path)
    if not found:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(now)
    return path, found


PKG_FLAGS = pkg_flags()


def main():
    paths, failed = sources(), False
    print(f"1..{len(paths)}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for number, (path, found) in enumerate(pool.map(lint, paths), 1):
            print(f"{'not ok' if found else 'ok'} {number} - {path}")
            for line in found:
                print(f"# {line}")
            failed |= bool(found)
    return failed


sys.exit(main())
