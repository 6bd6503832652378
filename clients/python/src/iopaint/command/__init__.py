"""The command `iopaint`."""
