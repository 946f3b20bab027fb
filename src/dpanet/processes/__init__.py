"""Programs of several processes: those that torchrun started, workers, interrupts."""
