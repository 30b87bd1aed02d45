"""JSON over HTTP, under ``/v1``."""
