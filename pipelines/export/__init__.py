"""Published tables as files for spreadsheets, safe against text that poses as a formula."""
