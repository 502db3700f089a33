"""Reads of hr, one file for each subject: frozen views, each limited to the sites of the person asking."""
