"""``bi/report.html``: what the published tables say, on one page for people."""
