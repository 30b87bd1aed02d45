"""Runs as values: lines and stretches, what a person may do, what a report contains. No clock, no input or output."""
