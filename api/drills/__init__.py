"""Drills: faults made on purpose, on real processes, with a check of what must hold afterwards."""
