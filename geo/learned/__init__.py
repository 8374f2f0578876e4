"""What the traces teach: how long streets take by hour of the week, and how sure that is."""
