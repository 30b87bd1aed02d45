"""A portfolio with known truth: accounts, their behaviour, and their response to treatment.

The engine decides, the simulation answers only to who was treated. What a playbook truly does is written in
``truth``; outcomes are then judged from the simulated data alone. Everything is seeded: the same seed and the same
decisions give the same portfolio.
"""
