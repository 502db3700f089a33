"""Reads of finance, one file for each subject: frozen views limited to the sites of the person asking; money in fen."""
