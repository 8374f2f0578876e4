"""The shell: command line, HTTP service, settings, clock and store."""

import importlib.metadata

__all__ = ["__version__"]

__version__ = importlib.metadata.version("yilu")
