"""Temporal: what is durable. Workflow code only steers; activities do the work; channels speak to the outside."""
