"""Publication: what BI tools read, all tables of a run together."""
