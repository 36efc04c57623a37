"""Diemcau coordinates a conference held in many halls at once and keeps its attendance log."""

__version__ = "0.1.0"
