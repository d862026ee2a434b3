"""A spread of the ONNX suite on oclgrind's simulated device; make check-oclgrind runs all of it.

tests/check_onnx.py says how.
"""
import os
import subprocess
import sys

sys.exit(subprocess.call([sys.executable, 'tests/check_onnx.py', '--kinds',
                          'node,simple,pytorch-converted,pytorch-operator', '--oclgrind', '--spread', '30',
                          '-j', '1', '--out', os.environ.get('B', 'build') + '/onnxgrind']))
