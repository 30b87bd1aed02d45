"""All tables, imported, so that their metadata is complete."""

from sqlalchemy import MetaData

from engine.store import decision_tables, member_tables, person_tables, run_tables, tables
from engine.store.base import Base

metadata: MetaData = Base.metadata
"""Every table of an installation; what the migrations must arrive at."""

MODULES = (tables, decision_tables, run_tables, person_tables, member_tables)
"""Where the tables are declared."""
