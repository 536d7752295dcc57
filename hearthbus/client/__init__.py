"""The client's side of hearthbus's own broker: what carries a `Bus` that is given no other transport.

    zeromq         the transport itself: ties the others together
    conversation   greeting, heartbeats, questions; its parts: greeting, questions, broker_clock
    listener       whom a conversation serves
    link           the two sockets; over entrance, what a refused key means and when to try again
    publisher      batches out, acknowledgements in; over the outbox, what is not acknowledged yet
    stream         what a subscription and a responder have in common: entered, waited at, ended
    subscription   live messages, complete; over tracking, what one subscription has seen
    routing        which message goes to which subscription
    durable        a subscription whose place the broker keeps
    responder      answering requests
    afterwards     work that nobody waits for

Imports nothing here: a process that opens no bus, `--help` for one, pays for none of it.
"""
