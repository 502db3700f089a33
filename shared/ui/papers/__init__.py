"""The papers 单据: one Typst template each, made PDF, SVG or PNG of data that is never markup.

A service says in `services/<service>/papers/` what stands on a paper of its own; `engine.py` draws it, `archive.py`
keeps what was issued, and `shared/paper_routes.py` hands it out and says of any paper whether it holds.
"""
