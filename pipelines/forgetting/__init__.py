"""Taking a person out of a home, and proving it."""
