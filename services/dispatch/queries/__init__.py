"""What people and rules read of the departments: frozen views, one file for each subject, limited to their reader."""
