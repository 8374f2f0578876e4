"""Tags of OpenStreetMap to rules: who may use a street, pass a barrier, take a turn."""
