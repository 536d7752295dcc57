// A gateway between RF12 radio and a serial port at 57600 baud.
//
// To programs that know RF12demo it is one; `1h` turns on numbered, checked lines and acked sending.
// Wiring: a JeeLink or JeeNode as it is; with another board radio nSEL D10, MOSI D11, MISO D12, SCK D13, nIRQ D2.
// #define HEARTH_RADIO_RFM69  // take the first slashes off for an RFM69; as it is, an RFM12B
#include <Hearth.h>
#include <hearth/gateway.h>
#include <hearth/seconds.h>
#include <jeenode/gateway_board.h>

hearth::GatewayBoard board;
hearth::Gateway<hearth::GatewayBoard> gateway(board);
hearth::Seconds seconds;
uint16_t looked_at;

void setup() {
  board.begin();
  gateway.begin(hearth::hearth_reset_cause, board.now());
}

void loop() {
  wdt_reset();
  gateway.poll(board.now());
  if (gateway.ready() && board.host.overrun()) gateway.overrun();
  while (gateway.ready() && board.host.available()) gateway.hear(board.host.take(), board.now());
  const uint16_t second = seconds.at(millis());
  if (second != looked_at && gateway.ready()) {
    looked_at = second;
    gateway.restarted(board.radio.health(second));
  }
  if (gateway.idle()) board.idle();
}
