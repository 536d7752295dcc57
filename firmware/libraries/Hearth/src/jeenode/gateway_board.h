// The gateway's board: a JeeLink or a JeeNode on a serial port.
//
// Knows which part does what. Does not know the protocol.
#pragma once

#include <Arduino.h>
#include <avr/sleep.h>
#include <avr/wdt.h>

#include "eeprom.h"
#include "radio.h"
#include "reset_cause.h"
#include "uart.h"

namespace hearth {

struct GatewayBoard {
  Radio radio;
  Uart host;
  Eeprom eeprom;

  void begin() {
    host.begin();
    // A boot loader older than Optiboot does not switch the watchdog off and starts for ever after it bit.
    wdt_enable(WDTO_2S);
  }

  static uint16_t now() { return millis(); }

  // The activity LED of a JeeLink, D9 and lit when low; free on a JeeNode.
  void led(bool on) {
    DDRB |= _BV(PB1);
    PORTB = on ? PORTB & ~_BV(PB1) : PORTB | _BV(PB1);
  }

  // Until the next interrupt: a byte, a letter, or Arduino's millisecond.
  static void idle() {
    set_sleep_mode(SLEEP_MODE_IDLE);
    sleep_mode();
  }

  void powerDown() {
    const uint16_t started = now();
    while (uint16_t(now() - started) < 100) {  // let the last line out
    }
    radio.sleep();
    wdt_disable();
    noInterrupts();
    set_sleep_mode(SLEEP_MODE_PWR_DOWN);
    sleep_mode();
  }
};

}  // namespace hearth
