"""The warehouse: slices and files, what they were made from, how they are brought up to date."""
