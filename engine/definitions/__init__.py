"""What a file may say: from YAML text to frozen, typed definitions that remember their place.

``source`` turns text into nodes with places; ``catalog``, ``scorecard``, ``rule``, ``playbook``, ``message`` and
``report`` each turn nodes into one kind of definition; ``bundle`` puts all of them together and checks what is
between files. Every problem is collected as a value; nothing here stops at the first.
"""
