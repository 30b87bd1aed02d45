"""The doors: command line, JSON routes, HTML pages."""
