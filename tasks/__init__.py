"""Greenroom's tasks: one module per Task state or endpoint, named as its state."""
