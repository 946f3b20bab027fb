"""How much tensor memory a call holds at once, counted by torch's own profiler."""

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile


def peak_of(call: Callable[[], object]) -> int:
    """Most bytes of tensors alive at one time during `call`, beyond those alive before it."""
    call()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        kept = call()
    del kept
    held = peak = 0
    for event in sorted(_allocations(watched), key=lambda e: e[0]):
        held += event[1]
        peak = max(peak, held)
    return peak


def _allocations(watched: profile) -> list[tuple[int, int]]:
    assert watched.profiler is not None and watched.profiler.kineto_results is not None
    return [
        (event.start_ns(), event.nbytes())
        for event in watched.profiler.kineto_results.events()
        if event.name() == "[memory]"
    ]
