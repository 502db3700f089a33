"""What people see of all four services: one look."""
