"""Activities: load, decide, save. Plain ``def``: each may run twice and must be harmless the second time."""
