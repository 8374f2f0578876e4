"""Stations and pick-up points: candidates, kinds, opening hours, and the audit of existing ones."""
