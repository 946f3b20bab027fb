"""Wait for something in a page whose content security policy forbids eval.

Playwright's `wait_for_function` evaluates its text inside the page each time but the first, so that such a policy
makes it fail whenever the condition does not hold at once. `evaluate` goes through the debugger, out of
reach of any policy.
"""

import time
from typing import Any


def wait_until(page: Any, condition: str, argument: Any = None, seconds: float = 20.0) -> None:
    """Wait until a JavaScript expression or function is true in the page.

    Raises:
        AssertionError: It is still false after these seconds.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(condition, argument):
        assert time.monotonic() < end, f"after {seconds} s still false: {condition}"
        page.wait_for_timeout(20)
