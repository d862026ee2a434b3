#!/usr/bin/env python3
"""Fits the polynomials of codegen/math.c and prints their coefficients.

Each function is brought to a small interval; what is left is approximated in the
sense of the largest weighted error, by least squares whose weights follow the
error (Lawson's iteration), in 40 digits.  Coefficients are rounded to f32 at the
end.  Needs python3-mpmath.  The errors in ULP that count are measured by
tests/unit/test_codegen_math.c on the emitted code.
"""
import struct

from mpmath import cos, erf, exp, lu_solve, log, log1p, matrix, mp, mpf, pi, sin, sqrt

mp.dps = 40


def nodes(lo, hi, n):
    """Chebyshev points of [lo, hi]."""
    return [(lo + hi) / 2 + (hi - lo) / 2 * cos(pi * (2 * i + 1) / (2 * n)) for i in range(n)]


def least_squares(rows, values):
    n = len(rows[0])
    a, b = matrix(n, n), matrix(n, 1)
    for row, v in zip(rows, values):
        for i in range(n):
            b[i] += row[i] * v
            for j in range(n):
                a[i, j] += row[i] * row[j]
    return list(lu_solve(a, b))


def fit(f, weight, lo, hi, degree, points=120, rounds=30):
    """Coefficients, lowest first, of the polynomial nearest to f."""
    xs = nodes(mpf(lo), mpf(hi), points)
    w = [mpf(1) / points] * points
    for _ in range(rounds):
        rows = [[sqrt(wi) * weight(x) * x**k for k in range(degree + 1)] for x, wi in zip(xs, w)]
        c = least_squares(rows, [sqrt(wi) * weight(x) * f(x) for x, wi in zip(xs, w)])
        err = [abs(weight(x) * (sum(ck * x**k for k, ck in enumerate(c)) - f(x))) for x in xs]
        w = [wi * e for wi, e in zip(w, err)]
        w = [wi / sum(w) for wi in w]
    return c, max(err)


def f32(x):
    return struct.unpack("f", struct.pack("f", float(x)))[0]


def show(name, c, err):
    print(f"{name}: largest weighted error {float(err):.2e}")
    print("\t" + ", ".join(f32(x).hex() for x in c))


LN2 = log(mpf(2))

# exp(r) = 1 + r + r^2 q(r)
show("exp", *fit(lambda r: (exp(r) - 1 - r) / r**2 if r else mpf(1) / 2,
                 lambda r: r**2 / exp(r), -LN2 / 2, LN2 / 2, 4))
# expm1(r) = r + r^2 q(r), relative to itself
show("expm1", *fit(lambda r: (exp(r) - 1 - r) / r**2 if r else mpf(1) / 2,
                   lambda r: r if r else mpf(1), -LN2 / 2, LN2 / 2, 5))
# log(1 + f) = f - f^2/2 + f^3 p(f)
show("log", *fit(lambda f: (log1p(f) - f + f**2 / 2) / f**3 if f else mpf(1) / 3,
                 lambda f: f**2, sqrt(mpf(1) / 2) - 1, sqrt(mpf(2)) - 1, 8))
# sin(r) = r + r^3 p(r^2), cos(r) = 1 - r^2/2 + r^4 p(r^2)
show("sin", *fit(lambda t: (sin(sqrt(t)) / sqrt(t) - 1) / t, lambda t: t, mpf("1e-12"), (pi / 4) ** 2, 3))
show("cos", *fit(lambda t: (cos(sqrt(t)) - 1 + t / 2) / t**2, lambda t: t**2, mpf("1e-6"), (pi / 4) ** 2, 2))
# erf(x) = x + x p(x^2) for |x| < 1
show("erf below 1", *fit(lambda t: erf(sqrt(t)) / sqrt(t) - 1, lambda t: sqrt(t) / erf(sqrt(t)),
                         mpf("1e-12"), 1, 6))
# erf(x) = 1 - exp(p(x)) for 1 <= x <= 4
show("erf from 1", *fit(lambda x: log(1 - erf(x)), lambda x: 1 - erf(x), 1, 4, 8))
