"""How a delivery leaves the building: by SMTP, or into a folder of files."""
