"""What can happen at finance: one function each, in files named by the same words as the rules."""
