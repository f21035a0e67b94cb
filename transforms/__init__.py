"""What every table is: pure functions, LazyFrame in, LazyFrame out.

No file, no clock, no settings object, no orchestration: what a function needs, it is handed.
"""
