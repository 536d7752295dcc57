// Thermometers on a wire: up to four DS18B20 and the battery, for months on two or three AA cells.
//
// Wiring: sensors' data D4 with 4.7 kohm to A0, their supply A0, ground: JeeNode port 1.
// To set it up: serial line, 57600 baud, in the first 5 s after a reset: `4i 212g 8b 300r` and `v`.
// #define HEARTH_RADIO_RFM69  // take the first slashes off for an RFM69; as it is, an RFM12B
#include <Hearth.h>
#include <hearth/onewire_node.h>
#include <jeenode/onewire_board.h>

hearth::OneWireBoard board;
hearth::OneWireNode<hearth::OneWireBoard> thermometer(board);

void setup() {
  board.begin();
  thermometer.begin(hearth::hearth_reset_cause, hearth::nextStart(), board.ms());
  board.introduce(thermometer.node(), hearth::kOneWireNode);
}

void loop() {
  thermometer.poll();
  board.rest();
}
