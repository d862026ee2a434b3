#!/usr/bin/env python3
"""Fails for any include against the arrows of ARCHITECTURE.md.

support <- ir <- {frontend, passes, codegen} <- cli; runtime stands alone;
third-party headers by one file each, protobuf-c by frontend/onnx_*.c alone.
"""
import fnmatch
import pathlib
import re
import sys

MAY_INCLUDE = {
    "support": ["support/*"],
    "ir": ["support/*", "ir/*"],
    "frontend": ["support/*", "ir/*", "frontend/*"],
    "passes": ["support/*", "ir/*", "passes/*"],
    "codegen": ["support/*", "ir/*", "codegen/*"],
    "cli": ["support/*", "ir/*", "frontend/*", "passes/*", "codegen/*", "cli/*",
            "runtime/sinter*.h"],
    "runtime": ["runtime/*"],
    "integrations": ["runtime/sinter*.h", "integrations/*"],
    "examples": ["runtime/sinter*.h", "examples/*"],
}

# Headers of the C library and the kernel; all others in <> are somebody else's.
SYSTEM = set("""
assert complex ctype dirent dlfcn errno fcntl fenv float getopt inttypes langinfo limits locale
math poll pthread sched setjmp signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio
stdlib stdnoreturn string strings time unistd wchar
sys/mman sys/random sys/resource sys/stat sys/syscall sys/time sys/types sys/utsname sys/wait
sanitizer/asan_interface
""".split())

# Third-party family: which files may use it; where a list has a pattern, one of its files alone.
FAMILY = {
    "libxml/": ("one", "ir/target*.c"),
    "graphviz/": ("one", "*.c"),
    "protobuf-c/": ("all", "frontend/onnx_*.c"),
    "cpuid.h": ("one", "ir/target*.c"),
    "png.h": ("one", "examples/*.c"),
    "argtable2.h": ("one", "cli/*.c"),
    "cJSON": ("one", "*.c"),
    "CL/": ("one", "runtime/opencl.h"),
}
GENERATED = {
    "digits.h": "examples/hello.c",  # what sinter compile writes
    "frontend/onnx.pb-c.h": "frontend/onnx_*.c",
    "codegen/sinter_abi.inc": "codegen/package*.c",
}

# Headers of ours that not all of their layer may include.
PRIVATE = {"runtime/opencl.h": "runtime/opencl*.c", "runtime/opencl.def": "runtime/opencl*.[ch]"}

SUFFIXES = (".c", ".h", ".def")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == "<", match.group(2)


def check_own(path, layer, name):
    if name in GENERATED:
        return None if fnmatch.fnmatch(str(path), GENERATED[name]) \
            else f"only {GENERATED[name]} may include the generated '{name}'"
    if not fnmatch.fnmatch(str(path), PRIVATE.get(name, "*")):
        return f"only {PRIVATE[name]} may include '{name}'"
    if not any(fnmatch.fnmatch(name, allowed) for allowed in MAY_INCLUDE[layer]):
        return f"{layer} must not include '{name}'"
    return None if pathlib.Path(name).exists() else f"'{name}' does not exist from the root"


def check_foreign(path, name, users):
    if name.removesuffix(".h") in SYSTEM:
        return None
    for family, (_, pattern) in FAMILY.items():
        if name.startswith(family):
            users.setdefault(family, set()).add(str(path))
            return None if fnmatch.fnmatch(str(path), pattern) \
                else f"only {pattern} may include <{name}>"
    return f"<{name}> is neither the C library's nor a known third party's (tests/check_layers.py)"


def check_layer(layer, users):
    problems = []
    for path in sorted(p for p in pathlib.Path(layer).rglob("*") if p.suffix in SUFFIXES):
        for number, is_foreign, name in includes(path):
            problem = check_foreign(path, name, users) if is_foreign \
                else check_own(path, layer, name)
            if problem:
                problems.append(f"{path}:{number}: {problem}")
    return problems


def main():
    layers = [layer for layer in MAY_INCLUDE if pathlib.Path(layer).is_dir()]
    users, failed = {}, False
    print(f"1..{len(layers) + 1}")

    def result(number, name, problems):
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
        for problem in problems:
            print(f"# {problem}")
        return bool(problems)

    for number, layer in enumerate(layers, 1):
        failed |= result(number, f"includes of {layer}", check_layer(layer, users))
    crowded = [f"{family} is included by {', '.join(sorted(files))}"
               for family, files in users.items() if FAMILY[family][0] == "one" and len(files) > 1]
    failed |= result(len(layers) + 1, "third-party headers by one file each", crowded)
    return failed


sys.exit(main())
