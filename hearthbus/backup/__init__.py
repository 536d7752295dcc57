"""A house in one file: gathered while it runs (`belongings`), written and checked (`archive`), its secrets under a
passphrase (`sealing`), and put in place on another machine (`placing`).
"""
