"""The shell: command line, HTTP service, settings, clock and store."""
