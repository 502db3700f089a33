"""The rules of hr: pure functions and tables, one file for each business word."""
