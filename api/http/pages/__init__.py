"""Pages that the service renders itself; maps and reports are files of the study."""
