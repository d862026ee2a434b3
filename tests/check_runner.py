#!/usr/bin/env python3
"""Tests of tests/run: what it makes of programs that pass, fail, skip, die and hang."""
import os
import subprocess
import sys
import tempfile

# Name: program, last line of the runner, exit status.
CASES = {
    "all pass": ("echo 1..2; echo ok 1 - a; echo ok 2 - b", "2 passed, 0 failed, 0 skipped", 0),
    "one fails": ("echo 1..2; echo ok 1; echo not ok 2 - b; exit 1",
                  "1 passed, 1 failed, 0 skipped", 1),
    "cmocka's skip": ("echo 1..2; echo ok 1 - a; echo not ok 2 '#' SKIP b",
                      "1 passed, 0 failed, 1 skipped", 0),
    "a skipped plan": ("echo 1..0 '#' SKIP no network", "0 passed, 0 failed, 1 skipped", 0),
    "dies": ("echo 1..2; echo ok 1 - a; kill -SEGV $$", "1 passed, 1 failed, 0 skipped", 1),
    "stops early": ("echo 1..2; echo ok 1 - a", "1 passed, 1 failed, 0 skipped", 1),
    "fails silently": ("echo 1..1; echo ok 1; exit 3", "1 passed, 1 failed, 0 skipped", 1),
    "prints nothing": ("true", "0 passed, 1 failed, 0 skipped", 1),
    "hangs": ("echo 1..1; sleep 60", "0 passed, 1 failed, 0 skipped", 1),
}


def check(program, last, status):
    """What is wrong, or None."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "program.sh")
        with open(path, "w", encoding="utf-8") as script:
            script.write(f"#!/bin/sh\n{program}\n")
        os.chmod(path, 0o755)
        run = subprocess.run(["tests/run", "-t", "2", path], capture_output=True, text=True)
    if run.stdout.splitlines()[-1] != last:
        return f"last line is '{run.stdout.splitlines()[-1]}', not '{last}'"
    return None if run.returncode == status else f"status is {run.returncode}, not {status}"


def main():
    failed = False
    print(f"1..{len(CASES)}")
    for number, (name, case) in enumerate(CASES.items(), 1):
        problem = check(*case)
        print(f"{'not ok' if problem else 'ok'} {number} - {name}")
        if problem:
            print(f"# {problem}")
        failed |= problem is not None
    return failed


sys.exit(main())
