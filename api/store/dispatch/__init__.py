"""Riders, tasks, offers, emergencies, their events, and webhooks: one module an aggregate."""
