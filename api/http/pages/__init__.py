"""Pages that the service renders itself, one module a role; maps and reports are files of the study."""
