#!/usr/bin/env python3
"""One pass = one row of passes/passes.def = one file = one folder of tests."""
import pathlib
import re
import sys

ROW = re.compile(r'^PASS\((\w+),\s*"([\w-]+)"', re.MULTILINE)


def problems_of(ident, name):
    if name != ident.replace("_", "-"):
        yield f"'{name}' is not '{ident}' with '-' for '_'"
    source = pathlib.Path("passes", ident + ".c")
    if not source.exists():
        yield f"there is no {source}"
    elif f"\nsn_pass_{ident}(" not in source.read_text():
        yield f"{source} does not define sn_pass_{ident}"
    folder = pathlib.Path("tests/passes", ident)
    if not any(f"pass={name}" in test.read_text() or f" {name}" in test.read_text()
               for test in folder.glob("*.sn")):
        yield f"no test in {folder} runs the pass"


def main():
    rows = ROW.findall(pathlib.Path("passes/passes.def").read_text())
    known = {ident for ident, _ in rows}
    strays = [f"{folder} is no pass's" for folder in sorted(pathlib.Path("tests/passes").iterdir())
              if folder.name not in known]
    results = [(name, list(problems_of(ident, name))) for ident, name in rows]
    results.append(("folders of tests", strays))
    print(f"1..{len(results)}")
    for number, (name, problems) in enumerate(results, 1):
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
        for problem in problems:
            print(f"# {problem}")
    return any(problems for _, problems in results)


sys.exit(main())
