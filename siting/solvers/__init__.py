"""Solvers of siting problems, each with its bound or proof."""
