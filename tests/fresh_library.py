"""Makes this process forget the C++ library, as though it had loaded nothing yet."""

from tf_sampled_compat.core.backends import library


def forget_the_library():
    """Clears what the package remembers of loading: the next call tries, and may warn, again."""
    for cache in (library._load_once, library._warn_once, library._size_pool_again):
        cache.cache_clear()
