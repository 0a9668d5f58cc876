"""The feeds, the receipts behind them, and the pages that say how they work."""
