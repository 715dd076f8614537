"""Makes the package forget that this process has loaded the C++ library."""

from tf_sampled_compat.core.backends import library


def forget_the_library():
    """Clears the package's cached result, so the next call loads, and may warn, again."""
    for cache in (library._load_once, library._warn_once, library._size_pool_again):
        cache.cache_clear()
