#!/usr/bin/env python3
"""What the pages say is so: dumps are what the compiler prints, paths, targets and options that they
name exist, the example of the README works as it is typed."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

B = os.environ.get("B", "build")
PAGES = sorted([*pathlib.Path(".").glob("*.md"), *pathlib.Path("docs").glob("*.md")])
FOLDERS = "support|ir|frontend|passes|codegen|runtime|cli|tests|bench|docs|examples"
PATH = re.compile(rf"(?<![\w/.$=-])((?:{FOLDERS})/[\w./*-]*[\w*])(?![\w(*])")
MADE = re.compile(r"NAME|AREA|_X\b")
COMMAND = re.compile(r"(?:^\t|`|^(?=build/))(?:build/)?sinter (\w+)([^`\n]*)", re.MULTILINE)
MAKE = re.compile(r"(?:^\t|`)make ([a-z][\w-]*)", re.MULTILINE)
# Files that a walk-through has its reader make.
EXAMPLES = re.compile(r"<!-- made here: (.*?) -->")
OUTSIDE = re.compile(r"<!-- rehearsal -->.*?<!-- end -->", re.DOTALL)


def text_of(page):
    return OUTSIDE.sub("", page.read_text())


def check_walkthrough():
    want = subprocess.run(["docs/make_walkthrough.sh"], capture_output=True, text=True, check=True).stdout
    if pathlib.Path("ARCHITECTURE.md").read_text() != want:
        yield "the dumps in ARCHITECTURE.md are old: docs/make_walkthrough.sh --update"


def check_support():
    want = subprocess.run(["docs/make_support.sh"], capture_output=True, text=True, check=True).stdout
    if pathlib.Path("README.md").read_text() != want:
        yield "the table of support in README.md is old: docs/make_support.sh --update"


def check_paths():
    for page in PAGES:
        made = [w for words in EXAMPLES.findall(page.read_text()) for w in words.split()]
        for name in sorted(set(PATH.findall(text_of(page)))):
            name = name.rstrip(".")
            if name not in made and not MADE.search(name) and not list(pathlib.Path(".").glob(name)):
                yield f"{page}: there is no {name}"
        for link in re.findall(r"\]\(([\w./-]+)\)", text_of(page)):
            if not (page.parent / link).exists():
                yield f"{page}: there is no {link}"


def check_targets():
    text = "\n".join(pathlib.Path(f).read_text() for f in ("Makefile", "examples/examples.mk"))
    rules = set(re.findall(r"^([a-z][\w-]*)(?: [a-z-]+)*:", text, re.MULTILINE))
    for page in PAGES:
        for target in sorted(set(MAKE.findall(text_of(page)))):
            if target not in rules and not target.startswith("unit-"):
                yield f"{page}: make has no '{target}'"


def check_options():
    known = {}
    for page in PAGES:
        for command, rest in COMMAND.findall(text_of(page)):
            if command not in known:
                done = subprocess.run([f"{B}/sinter", command, "--help"], capture_output=True, text=True, check=False)
                known[command] = set(re.findall(r"--[a-z-]+", done.stdout)) if done.returncode == 0 else None
            if known[command] is None:
                yield f"{page}: sinter has no '{command}'"
                continue
            for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
                if option not in known[command]:
                    yield f"{page}: sinter {command} has no '{option}'"


def check_man():
    """Every option of the command stands on the man page."""
    page = pathlib.Path("docs/sinter.1").read_text().replace("\\-", "-")
    for name in re.findall(r'^OPTION\("\+?([a-z-]+)"', pathlib.Path("cli/options.def").read_text(), re.MULTILINE):
        if f"--{name}" not in page:
            yield f"docs/sinter.1: --{name} is missing"


def blocks(text, kind):
    return [b.strip("\n") for b in re.findall(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)]


def check_example():
    """The C program, the commands and the output of README's example."""
    text = pathlib.Path("README.md").read_text()
    text = text[text.index("## Thirty seconds"):]
    program, commands, output = (blocks(text, kind)[0] for kind in ("c", "sh", "text"))
    if pathlib.Path("examples/hello.c").read_text().strip() != program.strip():
        yield "README.md: the program is not examples/hello.c"
    folder = pathlib.Path(B, "readme")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("build", "examples"):
        (folder / name).symlink_to(pathlib.Path(B if name == "build" else name).resolve())
    commands = re.sub(r"^make.*\n", "", commands)
    done = subprocess.run(["sh", "-e", "-c", commands], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"README.md: the example fails: {done.stderr.strip()}"
    elif done.stdout.strip() != output.strip():
        yield f"README.md: the example prints {done.stdout.strip()!r}"


CHECKS = [check_walkthrough, check_support, check_paths, check_targets, check_options, check_man, check_example]


def main():
    failed = 0
    print(f"1..{len(CHECKS)}")
    for number, check in enumerate(CHECKS, 1):
        problems = list(check())
        failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {number} - {check.__name__.removeprefix('check_')}")
        for problem in problems:
            print(f"# {problem}")
    return failed > 0


sys.exit(main())
