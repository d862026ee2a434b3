"""A spread of the ONNX suite on PoCL; make check-onnx DEVICE=opencl runs all of it.

tests/check_onnx.py says how.
"""
import os
import subprocess
import sys

sys.exit(subprocess.call([sys.executable, 'tests/check_onnx.py', '--kinds',
                          'node,simple,pytorch-converted,pytorch-operator', '--device', 'opencl', '--spread', '54',
                          '-j', '1', '--out', os.environ.get('B', 'build') + '/onnxcl']))
