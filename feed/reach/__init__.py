"""How far authors' posts come, counted from receipts, shown where enough people stand behind a figure."""
