"""Stateless draws as loops over Python's integers and decimals: the truth for `test_stateless`.

Imports nothing from the package or TensorFlow.
"""

import decimal
import math

MASK = 2**32 - 1


def philox(counter, key):
    """Philox4x32-10 (Salmon et al., 2011): four words from a counter of four and a key of two."""
    x, (a, b) = list(counter), key
    for _ in range(10):
        p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(q >> 32) ^ x[1] ^ a, q & MASK, (p >> 32) ^ x[3] ^ b, p & MASK]
        a, b = (a + 0x9E3779B9) & MASK, (b + 0xBB67AE85) & MASK
    return x


def words(seed):
    """Yields the words of a seed without end, as fractions of 2**62."""
    low = [part for number in seed for part in (number & MASK, number >> 32 & MASK)]
    scrambled = philox(low, (0x3EC8F720, 0x02461E29))
    block = 0
    while True:
        x = philox([block & MASK, block >> 32, *scrambled[2:]], scrambled[:2])
        for i in (0, 2):
            yield (x[i] | x[i + 1] << 32) >> 2
        block += 1


def uniform(word, range_max):
    """floor(u * range_max)."""
    return word * range_max >> 62


def log_uniform(word, range_max):
    """floor((range_max + 1) ** u) - 1, in 60 digits."""
    with decimal.localcontext(decimal.Context(prec=60)):
        u = decimal.Decimal(word) / 2**62
        return min(int((u * decimal.Decimal(range_max + 1).ln()).exp()), range_max) - 1


def weighted(weights):
    """Draws by integer weights: finds u's place in the cumulative weights."""

    def invert(word, range_max):
        target, below = word * sum(weights) >> 62, 0
        for k in range(range_max):
            below += weights[k]
            if target < below:
                return k

    return invert


def draw(invert, seed, num_sampled, unique, range_max):
    """Returns the classes and the number of tries."""
    classes, tries = [], 0
    for word in words(seed):
        tries += 1
        c = invert(word, range_max)
        if not unique or c not in classes:
            classes.append(c)
        if len(classes) == num_sampled:
            return classes, tries


def expected_count(p, num_sampled, tries):
    """Returns how often a class is expected among the candidates."""
    return p * num_sampled if tries == num_sampled else -math.expm1(tries * math.log1p(-p))
