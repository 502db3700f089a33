"""Importing requests from a table: read the file, map its columns, send the rows, tell what became of each.

table.py     a CSV or XLSX file as rows of text
mapping.py   columns -> fields of a request, from a TOML file
sending.py   rows -> intake, in batches by site
"""
