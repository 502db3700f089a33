"""What the pages of all four services share: look, words, forms, tables, the menu, and what changes live.

A page of a service is a function in its `pages/` that asks a query and shows a template, or hands a posted form to the
very function behind the API's route. So whatever the API refuses is refused here, with the same sentence.
"""
