"""The ONNX suite as far as emitted C, under AddressSanitizer and UBSan (make asan builds the driver).

make check-asan goes on to the generated code. tests/check_onnx.py says how.
"""
import os
import subprocess
import sys

SUITE = 'build/asan/tests/onnx/suite'
if not os.path.exists(SUITE):
    print(f'1..0 # SKIP {SUITE} is not there (make asan)')
    sys.exit(0)
sys.exit(subprocess.call([sys.executable, 'tests/check_onnx.py', '--suite', SUITE, '--out', 'build/asan/onnx_c',
                          '--kinds', 'node,simple,pytorch-converted,pytorch-operator', '--', '--no-cc']))
