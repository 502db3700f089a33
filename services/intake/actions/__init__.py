"""What can happen at the front desk: one function each, in files named by the same words as the rules."""
