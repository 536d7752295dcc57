"""The broker: one process in the middle of the house that every message passes.

config, limits     what a person may set
access             who may do what: the one place of that decision
topics, memory     retained state, sequence numbers; the journal's newest part, not yet on disk
clients, requests, presence, consumers     what the core knows of each
core               frames in, actions out: no socket, no clock, no file
tail, store, blocks     files: what survives a crash, a power cut
loop, main         sockets, and the command's start
"""
