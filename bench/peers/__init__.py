"""The buses under measurement, hearthbus first, as it is and with keys."""

from bench.peers.hearthbus import Hearthbus, Keyed
from bench.peers.mosquitto import Mosquitto
from bench.peers.nats import Nats
from bench.peers.redis import Redis
from bench.peers.zenoh import Zenoh

PEERS = {
    "hearthbus": Hearthbus(),
    "keys": Keyed(),
    "mosquitto": Mosquitto(),
    "nats": Nats(),
    "redis": Redis(),
    "zenoh": Zenoh(),
}
