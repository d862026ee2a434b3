"""Networks on the device opencl:0, beside the C target.

    python check_device_models.py [--all] [--jobs N] [NAME ...]

What is right is check_models.py's. Without --all or names only small ones, which are skipped where there is no
device. Prints TAP, then a line for each network:

    seconds of compiling for the device, the driver's part included, and of running at all sizes;
    of CPU time in that; milliseconds of one run at the last size; the same for the C target

and the sums, those of First light beside the LIMIT seconds that they are meant to take.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import check_models  # noqa: E402
import zoo  # noqa: E402

LIMIT = 600
SHORT = ['convnext', 'small_cnn', 'tiny_encoder']
FIRST = ['light_densenet121', 'ocr_rec', 'ocr_det', 'bert_base', 'light_vgg19', 'light_inception_v1', 'ocr_cls',
         'light_inception_v2', 'light_resnet50', 'mobilenet_v2', 'light_shufflenet', 'light_squeezenet',
         'light_zfnet512', 'light_alexnet', 'minilm']
# On a device 16-bit values are stored as such between kernels; what its float64 is like has no rule.
NOT_HERE = {'halves'}
TARGETS = ['opencl', 'c']
TIMES = re.compile(r'with runs ([\d.]+) s, ([\d.]+) s of CPU')
SINTER = os.path.join(check_models.BUILD, 'sinter')


def size_options(name):
    """Of the command, for a network with open sizes: its last size."""
    size = check_models.SIZES.get(name, [{}])[-1]
    if isinstance(size, tuple):
        return ['--shape', 'x=' + 'x'.join(map(str, size))]
    return [word for dim, n in size.items() for word in ('--dim', f'{dim}={n}')]


def milliseconds(name, target):
    """Of a run of what check_models has compiled; what PoCL has compiled is in its cache by now."""
    folder = check_models.folder_of(name, target)
    command = [SINTER, 'bench', folder, '--seconds', '0.3', '--json', '--quiet', *size_options(name)]
    if target == 'opencl':
        command += ['--device', check_models.DEVICE]
    done = subprocess.run(command, capture_output=True, text=True, env=check_models.device_env(folder), check=True)
    return json.loads(done.stdout)['median_ns'] / 1e6


def run(name):
    """Lines of TAP, and of each target: seconds, of CPU, milliseconds of a run; none for one that failed."""
    lines = check_models.one_process(name, TARGETS)
    results = [line for line in lines if line.startswith(('ok', 'not ok')) and '# SKIP' not in line]
    if not all(line.startswith('ok') for line in results):
        return lines, None
    times = [TIMES.search(line).groups() for line in results]
    return lines, [(float(s), float(cpu), milliseconds(name, t)) for t, (s, cpu) in zip(TARGETS, times)]


def print_table(table, took):
    print(f'# {"":20} {"device: s":>10} {"of CPU":>8} {"run, ms":>9} {"C: s":>8} {"of CPU":>8} {"run, ms":>9}')
    for name, ((s, cpu, ms), (c_s, c_cpu, c_ms)) in table.items():
        print(f'# {name:20} {s:10.1f} {cpu:8.1f} {ms:9.1f} {c_s:8.1f} {c_cpu:8.1f} {c_ms:9.1f}')
    for what, names in (('all', table), ('First light', [n for n in FIRST if n in table])):
        seconds, cpu = (sum(table[n][0][i] for n in names) for i in (0, 1))
        if names:
            print(f'# {what}: {len(names)} networks on the device in {seconds:.0f} s, {cpu:.0f} s of CPU'
                  f'{f" (meant: {LIMIT} s)" if len(names) == len(FIRST) else ""}')
    print(f'# {took:.0f} s for everything, references and the C target, too', flush=True)


def has_device():
    done = subprocess.run([SINTER, 'devices'], capture_output=True, text=True, check=False)
    return check_models.DEVICE in done.stdout


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--all', action='store_true')
    p.add_argument('--jobs', type=int, default=2)
    p.add_argument('names', nargs='*')
    args = p.parse_args()
    everything = FIRST + sorted(n for n in zoo.ZOO if n not in FIRST and n not in NOT_HERE)
    names = args.names or (everything if args.all else SHORT)
    if not has_device():
        print(f'1..0 # SKIP there is no device {check_models.DEVICE}')
        return args.all
    missing = check_models.missing_packages() if any(n in check_models.OCR for n in names) else ''
    skipped = [n for n in names if missing and n in check_models.OCR]
    names = [n for n in names if n not in skipped]
    print(f'1..{len(names) * len(TARGETS) + len(skipped)}')
    for name in skipped:
        print(f'ok - {name} # SKIP {missing}')
    start, table = time.time(), {}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for name, (lines, times) in zip(names, pool.map(run, names)):
            print('\n'.join(lines), flush=True)
            if times:
                table[name] = times
    print_table(table, time.time() - start)
    return len(table) < len(names)


if __name__ == '__main__':
    sys.exit(main())
