"""The ONNX suite once more in plain C99, but for the networks, which tests/models has.

tests/check_onnx.py says how.
"""
import os
import subprocess
import sys

sys.exit(subprocess.call([sys.executable, 'tests/check_onnx.py', '--kinds',
                          'node,simple,pytorch-converted,pytorch-operator', '--dialect', 'c99', '--clang',
                          '--out', os.environ.get('B', 'build') + '/onnx99']))
