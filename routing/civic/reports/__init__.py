"""Street reports (随手拍): the life of a matter from the first report to its confirmed end."""
