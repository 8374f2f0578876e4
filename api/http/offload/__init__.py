"""Work that takes long: large bodies, the processes that answer them, machine code made at start."""
