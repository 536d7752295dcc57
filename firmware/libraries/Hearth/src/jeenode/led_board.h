// The light node's board: radio, strip, a serial line to set it up.
//
// Knows which part does what. Does not know colours or packets.
#pragma once

#include <Arduino.h>
#include <avr/sleep.h>
#include <avr/wdt.h>

#include "eeprom.h"
#include "radio.h"
#include "reset_cause.h"
#include "strip.h"
#include "uart.h"

namespace hearth {

const char kLedNode[] HEARTH_FLASH = "led_node";

struct LedBoard {
  Radio radio;
  Eeprom eeprom;
  Uart host;
  Strip strip;

  void begin() {
    strip.begin();
    host.begin();
    // A boot loader older than Optiboot does not switch the watchdog off and starts for ever after it bit.
    wdt_enable(WDTO_2S);
  }

  static void idle() {
    set_sleep_mode(SLEEP_MODE_IDLE);
    sleep_mode();
  }
};

}  // namespace hearth
