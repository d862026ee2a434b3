#!/usr/bin/env python3
"""Sizes of files and functions, and calls that have no place in the library.

A function runs from its opening brace in column 1 to its closing one, which
clang-format guarantees.
"""
import pathlib
import re
import statistics
import sys

LAYERS = ["support", "ir", "frontend", "passes", "codegen", "cli", "runtime"]
# Code ends at column 100, which clang-format sees to; texts and comments may go a little further.
LINE_MOST, FILE_MOST, FUNCTION_MOST = 110, 1000, 80
MEDIAN_MOST, P90_MOST = 15, 60

# Call: which files may make it.
CALLS = {
    r"\b(?:v?f?printf|puts|putchar|perror)\s*\(": r"cli/.*|support/format\.c",
    r"\b_?exit\s*\(|\babort\s*\(": r"cli/.*|support/status\.c",
    r"\b(?:malloc|calloc|realloc|free|strdup)\s*\(": r"support/.*|cli/.*|runtime/.*",
    r"\b(?:strcat|strcpy|sprintf|gets|atoi|atof|strtok)\s*\(": r"",
    r"\b(?:strtod|strtof|setlocale)\s*\(": r"support/format\.c|cli/.*",
}
STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def code_only(text):
    """TEXT with strings emptied and comments blanked, lines kept."""
    text = STRING.sub('""', text)
    return COMMENT.sub(lambda m: "\n" * m.group().count("\n"), text)


def functions(lines):
    """(name, first line, number of lines of the body) of every function definition."""
    start = None
    for i, line in enumerate(lines):
        if line == "{" and i and (")" in lines[i - 1] or lines[i - 1].startswith("\t")):
            start = i
        elif line == "}" and start is not None:
            head = start - 1
            while head > 0 and lines[head].startswith(("\t", " ")):
                head -= 1
            match = re.match(r"(\w+)\(", lines[head])
            yield match.group(1) if match else lines[head], start + 1, i - start - 1
            start = None


def check_file(path, sizes):
    text = path.read_text()
    lines = text.splitlines()
    problems = []
    for number, line in enumerate(lines, 1):
        if path.suffix == ".c" and len(line.expandtabs(8)) > LINE_MOST:
            problems.append(f"{path}:{number}: {len(line.expandtabs(8))} columns")
    if len(lines) > FILE_MOST:
        problems.append(f"{path}: {len(lines)} lines")
    for name, number, size in functions(lines):
        sizes.append(size)
        if size > FUNCTION_MOST:
            problems.append(f"{path}:{number}: '{name}' has {size} lines")
    for number, line in enumerate(code_only(text).splitlines(), 1):
        for call, allowed in CALLS.items():
            if re.search(call, line) and not re.fullmatch(allowed, str(path)):
                problems.append(f"{path}:{number}: no place for '{re.search(call, line).group()}'")
    return problems


def main():
    layers = [layer for layer in LAYERS if pathlib.Path(layer).is_dir()]
    sizes, failed = [], False
    print(f"1..{len(layers) + 1}")
    for number, layer in enumerate(layers, 1):
        problems = [problem for path in sorted(pathlib.Path(layer).glob("*.[ch]"))
                    for problem in check_file(path, sizes)]
        print(f"{'not ok' if problems else 'ok'} {number} - style of {layer}")
        for problem in problems:
            print(f"# {problem}")
        failed |= bool(problems)
    sizes.sort()
    median, p90 = statistics.median(sizes), sizes[len(sizes) * 9 // 10]
    is_good = median <= MEDIAN_MOST and p90 <= P90_MOST
    print(f"{'ok' if is_good else 'not ok'} {len(layers) + 1} - {len(sizes)} functions: "
          f"median {median:g} lines, 90th percentile {p90}")
    return failed or not is_good


sys.exit(main())
