"""The arena against its lower bound, for every network of zoo.py and those that read text.

    python check_arena.py [--verbose] [--table] [--dump FOLDER] [NAME ...]

From the printed loop text alone (parameters of functions, steps, places), without asking the planner:

    bound    the most bytes of stored values that live at one step, as they are laid out; a value lives
             from the first step that touches it to the last
    arena    at most 1.1 times that
    layout   the bound, over what it would be if every value were as large as its type says (padding and
             halos): at most 1.15

and no two values that live together may overlap. Prints TAP; --table a table instead.
"""
import argparse
import concurrent.futures
import math
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import check_models  # noqa: E402
import zoo  # noqa: E402

MOST_ARENA, MOST_LAYOUT = 1.1, 1.15
TARGETS = [('c', 'x86-64-v4'), ('c', 'x86-64-v3'), ('c99', 'x86-64-v3')]
PINNED = {  # options for what is symbolic
    'minilm_dynamic': ['--dim', 'seq=128'],
    'gpt': ['--dim', 'seq=128', '--dim', 'batch=1'],
    'tcn': ['--dim', 'seq=128'],
    'ocr_det': ['--shape', 'x=1x3x320x640'],
    'ocr_rec': ['--shape', 'x=1x3x48x320'],
    'ocr_cls': ['--shape', 'x=1x3x48x192'],
}


def pins(name):
    """Options that fix what is symbolic: the above, or the first of the sizes that numerics are checked at."""
    first = check_models.SIZES.get(name, [()])[0]
    named = first.items() if isinstance(first, dict) else ()
    return PINNED.get(name) or [o for k, v in named for o in ('--dim', f'{k}={v}')]


BITS = {'f64': 64, 'i64': 64, 'u64': 64, 'f32': 32, 'i32': 32, 'u32': 32, 'f16': 16, 'bf16': 16, 'i16': 16, 'u16': 16}
NAME = r'(?:"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*)'


def size(dtype, n):
    return n * BITS.get(dtype, 8) // 8


def product(dims):
    return math.prod(int(d) for d in dims.split(',')) if dims else 1


class Plan:
    """What the loop text says: for each step the values that it touches, their bytes, their places."""

    def __init__(self, text):
        self.steps, self.bytes, self.written, self.places = [], {}, set(), {}
        funcs = {m[1]: [(a[1] is not None, size(a[2], int(a[3]))) for a in
                        re.finditer(rf'(const )?(?:alias )?(\w+) {NAME}\[(\d+)\]', m[2])]
                 for m in re.finditer(rf'^func ({NAME})\((.*?)\)(?: @.*)? \{{$', text, re.MULTILINE)}
        found = re.search(r'^plan arena (\d+) least \d+ scratch (\d+)\n\{\n(.*)^\}', text,
                          re.MULTILINE | re.DOTALL)
        if not found:
            raise SystemExit('the plan is not static: pin what is symbolic')
        head, plan = found.group(0, 3)
        self.arena, self.scratch = (int(x) for x in re.match(r'plan arena (\d+) least \d+ scratch (\d+)', head).groups())
        for m in re.finditer(rf'^\t({NAME}) for {NAME} \((.*)\)$', plan, re.MULTILINE):
            args = re.findall(NAME, m[2])
            assert len(args) == len(funcs[m[1]]), m[0]
            self.steps.append(args)
            for name, (is_const, n) in zip(args, funcs[m[1]]):
                assert self.bytes.setdefault(name, n) == n, f'{name} has two sizes'
                if not is_const:
                    self.written.add(name)
        for m in re.finditer(rf'^\t({NAME}) at (\d+) bytes', plan, re.MULTILINE):
            self.places[m[1]] = int(m[2])

    def lives(self, outputs):
        """First and last step of each value in the arena."""
        out = {}
        for i, args in enumerate(self.steps):
            for name in args:
                if name in self.written and name not in outputs:
                    out[name] = (out.get(name, (i, i))[0], i)
        return out


def tensors(text):
    """Dense bytes of each tensor of the tensor level's text, and the names of outputs."""
    dense, outputs = {}, set()
    for m in re.finditer(rf'^\t(input|output|const|temp) (\w+)\[([\d,]*)\] ({NAME})', text, re.MULTILINE):
        dense[m[4]] = size(m[2], product(m[3]))
        if m[1] == 'output':
            outputs.add(m[4])
    return dense, outputs


def peak(lives, nbytes, nsteps):
    sums = [0] * nsteps
    for name, (first, last) in lives.items():
        for i in range(first, last + 1):
            sums[i] += nbytes[name]
    return max(sums, default=0), sums.index(max(sums, default=0)) if sums else 0


def overlaps(plan, lives):
    names = list(lives)
    for i, a in enumerate(names):
        at = plan.places.get(a)
        if at is None or at + plan.bytes[a] > plan.arena:
            yield f'{a} has no place in the arena'
            continue
        for b in names[:i]:
            together = lives[a][0] <= lives[b][1] and lives[b][0] <= lives[a][1]
            if together and b in plan.places and at < plan.places[b] + plan.bytes[b] and \
                    plan.places[b] < at + plan.bytes[a]:
                yield f'{a} and {b} live together and overlap'


def dump(path, options, name):
    p = subprocess.run([os.path.join(check_models.BUILD, 'sinter'), 'compile', path, '--quiet', '--stop-after', name,
                        '--dump-after', name, *options], capture_output=True, text=True, check=True)
    return p.stdout


def measure(name, target, cpu):
    """Arena, bound, dense bound, what is wrong, and who lives at the peak."""
    path, options = check_models.model_path(name), ['--target', target, '--cpu', cpu, *pins(name)]
    # the tensor level's text is printed by the last pass on that level
    dense, outputs = tensors(dump(path, options, 'store-in-place'))
    plan = Plan(dump(path, options, 'plan-memory'))
    lives = plan.lives(outputs)
    bound, at = peak(lives, plan.bytes, len(plan.steps))
    least, _ = peak(lives, dense, len(plan.steps))
    wrong = list(overlaps(plan, lives))
    arena = plan.arena + plan.scratch
    if arena > MOST_ARENA * bound:
        wrong.append(f'the arena is {arena} bytes, {arena / bound:.3f} times its lower bound of {bound}')
    if bound > MOST_LAYOUT * least:
        wrong.append(f'layout makes the bound {bound} of {least} bytes, {bound / least:.3f} times')
    who = [f'{n}: {plan.bytes[n]} of {dense[n]}' for n, (a, b) in lives.items() if a <= at <= b]
    return arena, bound, least, wrong, who


def check(name, args):
    lines, failed = [], []
    for target, cpu in TARGETS:
        arena, bound, least, wrong, who = measure(name, target, cpu)
        figures = f'{arena:>9} {bound:>9} {arena / max(bound, 1):6.3f} {bound / max(least, 1):6.3f}'
        lines.append(f'{name:20} {target:4} {cpu:10} {figures}')
        failed += [f'{target} {cpu}: {w}' for w in wrong]
        if args.verbose:
            lines += ['    ' + w for w in who]
    if args.table:
        return lines
    return [f'{"not ok" if failed else "ok"} - {name}', *(f'# {line}' for line in failed + lines)]


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--verbose', action='store_true')
    p.add_argument('--table', action='store_true')
    p.add_argument('names', nargs='*')
    args = p.parse_args()
    names = args.names or [*check_models.OCR, *zoo.ZOO]
    missing = check_models.missing_packages() if any(n in check_models.OCR for n in names) else ''
    failed = False
    print('network              code machine         arena     bound  ratio layout' if args.table else f'1..{len(names)}')
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for lines in pool.map(lambda n: [f'ok - {n} # SKIP {missing}'] if missing and n in check_models.OCR
                              else check(n, args), names):
            print('\n'.join(lines), flush=True)
            failed |= any(line.startswith('not ok') for line in lines)
    return failed


if __name__ == '__main__':
    sys.exit(main())
