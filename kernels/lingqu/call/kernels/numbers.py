"""Logarithms and powers that are the same on every CPU.

Only sums, products, frexp and ldexp: no call into a mathematical library, no fused operations.
"""

import math

from lingqu.base.jit import kernel

_LOG10_2 = 0.30102999566398120
_INV_LN2 = 1.4426950408889634
_LOG2_10 = 3.3219280948873623


@kernel
def log10(x):
    """Logarithm of x > 0 to base 10, within 1e-14; -400 for zero and below."""
    if x <= 0.0:
        return -400.0
    mantissa, exponent = math.frexp(x)
    if mantissa < 0.7071067811865476:
        mantissa *= 2.0
        exponent -= 1
    z = (mantissa - 1.0) / (mantissa + 1.0)
    square = z * z
    total = 0.0
    for k in range(21, 0, -2):
        total = total * square + 1.0 / k
    return (exponent + 2.0 * z * total * _INV_LN2) * _LOG10_2


@kernel
def pow10(x):
    """10 to the power of x <= 0, within 1e-13 relative; 0 below 1e-300."""
    if x < -300.0:
        return 0.0
    y = x * _LOG2_10
    whole = math.floor(y + 0.5)
    part = (y - whole) * 0.6931471805599453
    total = 1.0
    for k in range(14, 0, -1):
        total = 1.0 + total * part / k
    return math.ldexp(total, int(whole))
