"""The demonstration: a simulated portfolio with known truth, decided, carried out, measured, and summed up."""
