// An RGB strip that fades, plays effects, and comes back with its last colour after a power cut.
//
// Wiring: red D6, green D9, blue D5, each over a 100 ohm resistor to the gate of an N-channel MOSFET that switches the
// strip's minus (10 kohm from gate to ground keeps it dark while the node starts); radio as on every JeeNode.
// To set it up: serial line, 57600 baud, `7i 212g 8b` and `v`.
// #define HEARTH_RADIO_RFM69  // take the first slashes off for an RFM69; as it is, an RFM12B
#include <Hearth.h>
#include <hearth/led_node.h>
#include <jeenode/led_board.h>

hearth::LedBoard board;
hearth::LedNode<hearth::LedBoard> node(board, hearth::kLedNode);
hearth::Seconds seconds;
uint16_t looked_at;

void setup() {
  board.begin();
  node.begin(hearth::hearth_reset_cause, hearth::nextStart(), millis());
}

void loop() {
  wdt_reset();
  node.poll(millis());
  const uint16_t second = seconds.at(millis());
  if (second != looked_at) {
    looked_at = second;
    board.radio.health(second);
  }
  if (!board.radio.sending()) board.idle();
}
