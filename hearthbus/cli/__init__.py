"""The `hearthbus` command: one file a verb, `main` finds the verb, the other files are what verbs share.

Uses the same public client as anybody's program. Imports nothing here, so that `--help` stays quick.
"""
