"""Northwind's own assistant: what its web shop runs, and what the suite tests."""
