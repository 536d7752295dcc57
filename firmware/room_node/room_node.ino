// A room: motion both ways, light, temperature, humidity and the battery, for months on two or three AA cells.
//
// Wiring: motion detector D7 (low while it sees something), light-dependent resistor A3 to ground, HYT131 with data D4
// and clock A0; a missing sensor is said to be missing. Detector and light sensor are JeeNode port 4, the HYT131 port 1.
// To set it up: serial line, 57600 baud, in the first 5 s after a reset: `7i 212g 8b 300r 60m` and `v`.
// #define HEARTH_RADIO_RFM69  // take the first slashes off for an RFM69; as it is, an RFM12B
#include <Hearth.h>
#include <hearth/room_node.h>
#include <jeenode/room_board.h>

hearth::RoomBoard board;
hearth::RoomNode<hearth::RoomBoard> room(board);

void setup() {
  board.begin();
  room.begin(hearth::hearth_reset_cause, hearth::nextStart(), board.ms());
  board.introduce(room.node(), hearth::kRoomNode, [] { return room.look(); });
}

void loop() {
  room.poll();
  board.rest();
}
