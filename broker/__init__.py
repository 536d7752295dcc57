"""The broker: one process in the middle of the house that every message passes.

config             what a person may set
access             who may do what: the one place of that decision
stream             the order of all messages; topics, memory: retained state, the journal's part not yet on disk
clients, greeting, presence, requests, consumers, pages, commits     what the core knows and does, a subject each
core               frames in, actions out: no socket, no clock, no file
tail, store, disk, recovery     files: what survives a crash, a power cut, a damaged card
loop, main         sockets, and the process's start and end
"""
