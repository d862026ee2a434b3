"""All cases of the ONNX suite on the loop interpreter with its shadow memory: scheduled for a device,
and for one without f64, where a part of each such case runs on the host."""
import glob
import os
import re
import subprocess
import sys

import onnx

B = os.environ.get('B', 'build')
DATA = os.path.join(os.path.dirname(onnx.__file__), 'backend', 'test', 'data')
KINDS = ('node', 'simple', 'pytorch-converted', 'pytorch-operator')
TARGETS = ('opencl', 'tests/targets/no_f64.xml')


def main():
    cases = sorted(p for k in KINDS for p in glob.glob(f'{DATA}/{k}/test_*'))
    failed = False
    print(f'1..{len(TARGETS)}')
    for number, target in enumerate(TARGETS, 1):
        done = subprocess.run([f'{B}/tests/suite_interp', '-t', target, *cases], capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        found = re.match(r'(\d+) passed, (\d+) failed', lines[-1] if lines else '')
        good = found and done.returncode == 0 and int(found[1]) > 1000
        print(f'{"ok" if good else "not ok"} {number} - {target}: {lines[-1] if lines else "no answer"}')
        for line in lines:
            if line.startswith('FAIL'):
                print(f'# {line}')
        failed |= not good
    return failed


sys.exit(main())
