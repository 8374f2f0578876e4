"""Why a task was refused, and the smallest change that would help."""
