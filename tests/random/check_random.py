"""Random networks (random_net.py) compiled, run, and compared with ONNX Runtime and float64.

    python check_random.py [--first SEED] [--count N] [--target c,threads,c99,opencl] [--jobs N]
    python check_random.py --reduce SEED [--target T]
    python check_random.py --export FOLDER [--first SEED] [--count N]

Without --target each network is compiled as C for one of several machines and as C99, sometimes with sanitizers, and
the first few for the device opencl:0. An output is right if it is as near to float64 as ONNX Runtime, within a factor and a floor that are
far below what a wrong element makes; integers and booleans are equal. Networks with open extents run at several; where
float64 says that a dimension breaks a requirement the compiled network has to say so, too. Each network is a process
of its own: a crash is one failure. Prints TAP; what failed stays in B/random/SEED-TARGET.

--reduce looks for the smallest part of a network that still fails, and prints it. --export
writes networks with inputs and answers, for replay.py on a machine without ONNX Runtime.
"""
import argparse
import concurrent.futures
import multiprocessing
import os
import shutil
import subprocess
import sys

import numpy as np
import onnx
from onnx import numpy_helper as nh

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'models')]
import abi  # noqa: E402
import check_models as models  # noqa: E402
import guarded  # noqa: E402
import random_net  # noqa: E402
from compare import FLOATS, off_by  # noqa: E402

NETWORKS, ON_DEVICE = 40, 5  # in make check
OTHER_EXTENTS = [{'N': 1, 'H': 5, 'W': 2, 'K': 19}, {'N': 34, 'H': 7, 'W': 17, 'K': 3}]
THREADS = 3
WARNINGS = '-Wall -Wextra -Wpedantic -Wconversion -Werror'
SANITIZE = ' '.join(guarded.SANITIZE)
TARGETS = {  # options of sinter compile, of the C compiler, how a result runs
    'c': ([], WARNINGS, abi.Model),
    'v3': (['--cpu', 'x86-64-v3'], WARNINGS, abi.Model),
    'generic': (['--cpu', 'generic'], WARNINGS, abi.Model),
    'threads': (['--threads'], WARNINGS, lambda folder: abi.Model(folder, THREADS)),
    'sanitized': ([], SANITIZE, guarded.Outside),
    'c99': (['--target', 'c99'], WARNINGS, abi.Model),
    'sanitized99': (['--target', 'c99'], SANITIZE, guarded.Outside),
    'opencl': (['--device', models.DEVICE], WARNINGS, models.OnDevice),
}
IN_TURN = [('c', 'sanitized99'), ('v3', 'c99'), ('threads', 'c99'), ('sanitized', 'c99'), ('generic', 'c99')]


class Wrong(Exception):
    pass


def compile_model(path, folder, target):
    options, flags, model = TARGETS[target]
    done = subprocess.run([os.path.join(models.BUILD, 'sinter'), 'compile', path, '-o', folder, *options, '--quiet',
                           '--cc', f'{guarded.CC} {flags}'], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise Wrong(f'{target}: sinter compile: {done.stderr.strip()[:600]}')
    return model(folder)


def float64(path, feeds, want):
    """Answers; None where a dimension has to be what it isn't."""
    try:
        return models.float64(path, feeds, list(want))
    except models.Refused as e:
        if "which the inputs' dimensions do not fulfil" in str(e):
            return None
        raise Wrong(f'interp64: {e}') from e


def has_symbols(model):
    return any(d.dim_param for i in model.graph.input for d in i.type.tensor_type.shape.dim)


def cases_of(path, model, feeds_at):
    """Inputs, ONNX Runtime's answer and float64's, at each size that ONNX Runtime takes."""
    names = [o.name for o in model.graph.output]
    for extents in [{}] + (OTHER_EXTENTS if has_symbols(model) else []):
        feeds = feeds_at(model, extents)
        try:
            want = dict(zip(names, random_net.run_model(model, feeds)))
        except Exception:  # a constant of the network doesn't fit this size
            continue
        if all(a.dtype not in FLOATS or np.isfinite(a).all() for a in want.values()):
            yield feeds, want, float64(path, feeds, want)


def try_case(target, compiled, feeds, want, exact):
    shapes = [list(a.shape) for a in feeds.values()]
    try:
        got = compiled(feeds)
    except (abi.Error, subprocess.CalledProcessError) as e:
        if exact is None:
            return
        raise Wrong(f'{target}: {e}, inputs {shapes}') from e
    if exact is None:
        raise Wrong(f'{target}: takes inputs that break a requirement, {shapes}')
    for name in want:
        text = off_by(got[name], want[name], exact[name])
        if text:
            raise Wrong(f"{target}: '{name}' {text}, inputs {shapes}")


def try_model(model, feeds_at, targets, folder):
    """Raises Wrong with what is wrong."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    path = os.path.join(folder, 'model.onnx')
    onnx.save(model, path)
    cases = list(cases_of(path, model, feeds_at))
    for target in targets:
        compiled = compile_model(path, os.path.join(folder, target), target)
        for case in cases:
            try_case(target, compiled, *case)


def send_verdict(pipe, *args):
    try:
        try_model(*args)
        pipe.send('')
    except Wrong as e:
        pipe.send(str(e))
    except Exception as e:  # of the check itself; it is a failure as well
        pipe.send(f'{type(e).__name__}: {e}')


def verdict(*args):
    """Empty, or what is wrong; from a process of its own."""
    fork = multiprocessing.get_context('fork')
    mine, its = fork.Pipe(False)
    p = fork.Process(target=send_verdict, args=(its, *args))
    p.start()
    its.close()
    try:
        text = mine.recv()
    except EOFError:
        text = None
    p.join()
    return f'ended with {p.exitcode}' if text is None else text


def folder_of(seed, targets):
    return os.path.join(models.BUILD, 'random', f'{seed}-{targets[0]}')


def check(seed, targets):
    net = random_net.Net(seed)
    text = verdict(net.model(), net.feeds, targets, folder_of(seed, targets))
    if not text:
        shutil.rmtree(folder_of(seed, targets), ignore_errors=True)
    return text


# ---- reducing ----

def needed_nodes(model, outputs, cut):
    """Names of the nodes that OUTPUTS depend on, up to the values CUT."""
    makers = {o: n for n in model.graph.node for o in n.output if o}
    seen, todo = set(), list(outputs)
    while todo:
        node = None if todo[-1] in cut else makers.get(todo[-1])
        todo.pop()
        if node is not None and node.name not in seen:
            seen.add(node.name)
            todo += node.input
    return seen


def part(model, outputs, cut):
    """What OUTPUTS need of a model; the values CUT, a dict of arrays, are inputs."""
    names = needed_nodes(model, outputs, cut)
    nodes = [n for n in model.graph.node if n.name in names]
    used = {i for n in nodes for i in n.input}
    inputs = [i for i in model.graph.input if i.name in used]
    inputs += [random_net.info(n, a, a.shape) for n, a in cut.items() if n in used]
    consts = [(t.name, nh.to_array(t)) for t in model.graph.initializer if t.name in used]
    infos = {v.name: v for v in onnx.shape_inference.infer_shapes(model).graph.value_info}
    infos.update({v.name: v for v in model.graph.output})
    return random_net.make_model(nodes, inputs, [infos[o] for o in outputs], consts, model.opset_import[0].version)


def smallest_part(net, targets, folder):
    """A model and what is wrong with it: the first value that is, from the latest ones that make it so."""
    model, values, cut = net.model(), {v.name: v.array for v in net.values}, {}

    def fails(m):
        return verdict(m, (lambda m, _: {i.name: values[i.name] for i in m.graph.input}) if cut else net.feeds, targets,
                       folder)
    for out in [o for n in model.graph.node for o in n.output if o]:
        if fails(part(model, [out], {})):
            model = part(model, [out], {})
            break
    outputs = [o.name for o in model.graph.output]
    for name in reversed([o for n in model.graph.node for o in n.output if o and o not in outputs]):
        cut[name] = values[name]
        if not fails(part(model, outputs, cut)):
            del cut[name]
    model = part(model, outputs, cut)
    return model, fails(model)


def print_model(model):
    consts = {t.name: nh.to_array(t) for t in model.graph.initializer}
    for i in model.graph.input:
        dims = [d.dim_param or d.dim_value for d in i.type.tensor_type.shape.dim]
        print(f'  input {i.name} {onnx.TensorProto.DataType.Name(i.type.tensor_type.elem_type)}{dims}')
    for n in model.graph.node:
        ins = [f'{i} = {consts[i].tolist() if consts[i].size < 9 else list(consts[i].shape)}' if i in consts else i
               for i in n.input]
        attrs = {a.name: onnx.helper.get_attribute_value(a) for a in n.attribute}
        print(f'  {", ".join(n.output)} = {n.op_type}({", ".join(ins)}) {attrs or ""}')


def reduce(seed, targets):
    net = random_net.Net(seed)
    model, text = smallest_part(net, targets, folder_of(seed, targets))
    print(f'network {seed}: {len(model.graph.node)} of {len(net.nodes)} nodes: {text or "nothing is wrong"}')
    print_model(model)


# ---- exporting ----

def export(seed, folder):
    """A folder with the model and the inputs and answers of each size; none that are to be refused."""
    net = random_net.Net(seed)
    model, path = net.model(), os.path.join(folder, str(seed), 'model.onnx')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    onnx.save(model, path)
    for i, (feeds, want, exact) in enumerate(cases_of(path, model, net.feeds)):
        for what, arrays in (('in', feeds), ('want', want), ('exact', exact)):
            if exact is not None:
                np.savez_compressed(os.path.join(folder, str(seed), f'{i}.{what}.npz'), **arrays)


# ---- all together ----

def targets_of(seed):
    return IN_TURN[seed % len(IN_TURN)]


def has_device():
    done = subprocess.run([os.path.join(models.BUILD, 'sinter'), 'devices'], capture_output=True, text=True, check=False)
    return models.DEVICE in done.stdout


def plan(args):
    """Pairs of seed and targets."""
    seeds = range(args.first, args.first + (args.count or NETWORKS))
    if args.target:
        return [(seed, args.target.split(',')) for seed in seeds]
    return [(seed, targets_of(seed)) for seed in seeds] + [(seed, ['opencl']) for seed in seeds[:ON_DEVICE] if has_device()]


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--first', type=int, default=0, metavar='SEED')
    p.add_argument('--count', type=int, default=0, metavar='N')
    p.add_argument('--target', default='')
    p.add_argument('--jobs', type=int, default=2)
    p.add_argument('--reduce', type=int, default=None, metavar='SEED')
    p.add_argument('--export', metavar='FOLDER')
    args = p.parse_args()
    if args.export:
        for seed, _ in plan(args):
            export(seed, args.export)
        return 0
    if args.reduce is not None:
        return reduce(args.reduce, args.target.split(',') if args.target else targets_of(args.reduce))
    jobs, failed = plan(args), 0
    print(f'1..{len(jobs)}')
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for (seed, targets), text in zip(jobs, pool.map(lambda j: check(*j), jobs)):
            print(f'{"not ok" if text else "ok"} - network {seed} as {", ".join(targets)}')
            print(''.join(f'# {line}\n' for line in text.splitlines()), end='', flush=True)
            failed += bool(text)
    print(f'# {len(jobs) - failed} of {len(jobs)} networks are right')
    return min(failed, 1)


if __name__ == '__main__':
    sys.exit(main())
