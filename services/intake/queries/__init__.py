"""Reads of the front desk, a file for each subject: frozen views, limited to the sites of the person asking."""
