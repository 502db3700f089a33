"""What can happen in the departments: one function each, in files named by the same words as the rules."""
