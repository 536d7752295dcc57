"""`hearthbus doctor`'s knowledge: what a forum would ask, one subject a file.

Each subject has facts (a frozen dataclass), `gather`, which reads them off the machine and never fails, and `judge`,
which is pure and says what is wrong and what to do. `checks` is the table of them all.
"""
