// What sensor nodes have in common: a radio that mostly sleeps, the clock that does not, a serial line after the start.
//
// Knows how to talk with the least time awake. Does not know what is measured.
#pragma once

#include <Arduino.h>

#include "adc.h"
#include "eeprom.h"
#include "radio.h"
#include "reset_cause.h"
#include "sleep_clock.h"
#include "uart.h"

#include "../hearth/node.h"
#include "../hearth/node_console.h"

namespace hearth {

// The serial line is heard this long after the start; a processor that sleeps hears no letters.
constexpr uint16_t kSetUpTime = 5000;  // ms

// The air time of 66 bytes is 12.8 ms.
constexpr uint16_t kLongestPacket = 20;  // ms

struct SleeperBoard {
  Radio radio;
  Eeprom eeprom;
  Uart host;
  SleepClock clock;

  void begin() {
    ADCSRA = 0;
    ACSR = _BV(ACD);  // the comparator, never used
    host.begin();
    clock.begin();
  }

  static uint16_t ms() { return millis(); }

  // Anything but the radio's interrupt may have to wait for the next millisecond.
  void pause(uint16_t ms) {
    for (const uint16_t from = millis(); uint16_t(millis() - from) < ms;) clock.idle();
  }

  void wakeRadio() {
    radio.wake();
    pause(3);
  }

  // Let a node's packet go its way and listen for a while after it; then the radio sleeps.
  template <class AnyNode>
  void converse(AnyNode& node, uint16_t listen) {
    converse(node, listen, [] { return false; });
  }

  // The same, but listening ends when something else is more urgent.
  template <class AnyNode, class Urgent>
  void converse(AnyNode& node, uint16_t listen, Urgent urgent) {
    const uint16_t from = millis();
    for (uint16_t handed_over = from;;) {
      const uint16_t now = millis();
      if (node.busy()) {
        handed_over = now;
      } else {
        // One that loses its supply in the middle of a packet would be sending for ever.
        const bool sending = radio.sending() && uint16_t(now - handed_over) < kLongestPacket;
        if (!sending && (uint16_t(now - from) >= listen || urgent())) break;
      }
      node.poll(now, clock.now() / 1000);
      idle();
    }
    radio.sleep();
  }

  // The first seconds: who we are, to the house by radio and to a person by the serial line.
  template <class AnyNode>
  void introduce(AnyNode& node, const char* name) {
    introduce(node, name, [] { return false; });
  }

  // The same, and `meanwhile` the node's own business; true when it had a packet for the house.
  template <class AnyNode, class Meanwhile>
  void introduce(AnyNode& node, const char* name, Meanwhile meanwhile) {
    NodeConsole<Uart> console(host, name);
    console.greet(node.settings());
    node.announce(true, millis());
    for (const uint16_t from = millis(); node.busy() || uint16_t(millis() - from) < kSetUpTime;) {
      node.poll(millis(), clock.now() / 1000);
      if (!node.busy() && meanwhile()) wakeRadio();
      Settings settings = node.settings();
      while (host.available()) {
        if (console.hear(host.take(), settings)) node.adopt(settings, millis());
      }
      idle();
    }
    radio.sleep();
  }

 private:
  // Not while sending: an ack may follow in 0.4 ms, and a radio that is asked rather than asking (RFM69) must listen by
  // then.
  void idle() { radio.sending() ? clock.alive() : clock.idle(); }
};

}  // namespace hearth
