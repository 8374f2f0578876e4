"""Compiled kernels of the solvers."""
