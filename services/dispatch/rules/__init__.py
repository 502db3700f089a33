"""The departments' rules: pure functions and tables, one file for each business word."""
