"""Ranking receipts: what each page load decided and why, kept so that anyone can repeat the sum."""
