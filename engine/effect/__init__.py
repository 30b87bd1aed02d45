"""What a playbook changes on the whole: outcomes judged from data, arms compared honestly, points fed back.

``outcome`` judges one decision when its time is up, ``uplift`` compares two proportions, ``estimate`` puts both
together per experiment, ``feedback`` turns outcomes of treated accounts into points.
"""
