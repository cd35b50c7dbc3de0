"""The facts that travel between states: small frozen dataclasses, one file for each that makes them.

States pass keys and facts, never bytes. Sizes are in bytes, lengths in pixels, durations in seconds,
times are ISO 8601 in UTC (`2026-11-21T21:40:26Z`) unless a field says otherwise.
"""
