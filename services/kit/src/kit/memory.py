"""The memory of a process that lives long."""

import gc


def keep_what_is_loaded() -> None:
    """Have the garbage collector pass over what is loaded by now: code, models and routes stay to the end.

    Otherwise a collection looks at all of it, for 0.1 s, in the middle of a request that makes many small objects.
    """
    gc.collect()
    gc.freeze()
