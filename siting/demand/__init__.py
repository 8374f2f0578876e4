"""Demand by place and hour: rests, due breaks, passing flow, and the hot spots among them."""
