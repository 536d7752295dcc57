"""The buses under measurement, hearthbus first."""

from bench.peers.hearthbus import Hearthbus
from bench.peers.mosquitto import Mosquitto
from bench.peers.nats import Nats
from bench.peers.redis import Redis
from bench.peers.zenoh import Zenoh

PEERS = {
    "hearthbus": Hearthbus(),
    "mosquitto": Mosquitto(),
    "nats": Nats(),
    "redis": Redis(),
    "zenoh": Zenoh(),
}
