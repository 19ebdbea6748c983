"""Limits once more, written for itself: fractions, and every sum taken term by term.

Reads lines `binomial N K CONFIDENCE`, `finite ROWS N K CONFIDENCE` and `size PART WHOLE K CONFIDENCE`, writes one number a line.
"""
import sys
from fractions import Fraction
from math import comb


def at_most(k, n, p):
    return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


def binomial(n, k, confidence):
    risk = 1 - Fraction(confidence, 100)
    # From above, one digit after the other.
    limit = Fraction(1)
    for digit in range(1, 7):
        step = Fraction(1, 10**digit)
        while limit - step >= 0 and at_most(k, n, limit - step) <= risk:
            limit -= step
    return limit * 10**6


def finite(rows, n, k, confidence):
    risk = 1 - Fraction(confidence, 100)
    chance = lambda bad: Fraction(sum(comb(bad, i) * comb(rows - bad, n - i) for i in range(k + 1)), comb(rows, n))
    return max(bad for bad in range(k, rows - n + k + 1) if chance(bad) > risk)


def size(part, whole, k, confidence):
    n = k + 1
    while at_most(k, n, Fraction(part, whole)) > 1 - Fraction(confidence, 100):
        n += 1
    return n


for line in sys.stdin:
    what, *numbers = line.split()
    print({"binomial": binomial, "finite": finite, "size": size}[what](*map(int, numbers)))
