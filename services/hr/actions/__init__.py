"""What can happen in hr: one function each, in files named by the same words as the rules."""
