"""What stays for as long as the process lives is set aside from Python's garbage collector.

Modules, catalogues and calendars are some hundred thousand objects. Looking through them all takes 60 ms in which nobody is answered, and
it happens just when much is going on.
"""

import gc


def set_aside() -> None:
    """Collect once, then exempt everything that is there now. Call it after loading what stays, not while requests are served."""
    gc.collect()
    gc.freeze()
