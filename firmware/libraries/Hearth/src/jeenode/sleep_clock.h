// Time for a node that sleeps, and its watchdog: awake the crystal counts and the watchdog resets who hangs; asleep the
// watchdog's interrupt is the clock, one tick a second.
//
// Knows ticks and how long they really last: the watchdog's oscillator may be 10 % off (ATmega328P data sheet, "Typical
// characteristics"), so it is measured against the crystal. Does not know why the node wakes.
// Include it once in a program: it owns the watchdog.
//
// A sleep that a pin cuts short is booked as half a tick, for nobody can read how far the watchdog had come. So that a
// chattering pin cannot make time run, a sleep can be asked to last its tick whatever the pins do.
//
// Awake the watchdog is in reset mode and bites a program that hangs within a second, interrupts on or off. Asleep it
// is in "interrupt, then reset" mode, from which the hardware itself goes back to reset mode with the tick.
#pragma once

#include <Arduino.h>
#include <avr/interrupt.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <util/atomic.h>

namespace hearth {

class SleepClock {
 public:
  void begin() {
    active() = this;
    calibrate();
  }

  // Milliseconds since the start.
  uint32_t now() {
    const uint32_t us = micros();
    add(us - booked_);
    booked_ = us;
    return ms_;
  }

  // Say that the program still goes its way; at least once a second while awake.
  static void alive() { wdt_reset(); }

  // Measure the watchdog: two of its shortest periods, of which the second is timed. 32 ms.
  void calibrate() {
    arm<WDTO_15MS>();
    awaitTick();
    const uint32_t from = micros();
    awaitTick();
    const uint32_t length = micros() - from;
    watch();
    // Anything else than 16 ms give or take a third is no measurement.
    if (length > 10000 && length < 22000) tick_us_ = length << 6;
  }

  // Power down for a tick, or less when a pin wakes; not at all if `woken` already. `whole`: a tick whatever wakes.
  void rest(const volatile bool& woken, bool whole = false) {
    now();
    set_sleep_mode(SLEEP_MODE_PWR_DOWN);
    cli();
    if (woken && !whole) {
      sei();
      return;
    }
    arm<WDTO_1S>();
    do {
      sleep_enable();
      sleep_bod_disable();
      sei();  // takes effect after the next instruction, so nothing can come between
      sleep_cpu();
      sleep_disable();
      cli();
    } while (whole && !ticked_);
    add(ticked_ ? tick_us_ : tick_us_ / 2);
    watch();
    sei();
  }

  // Wait with the clocks running: for the radio, for a sensor.
  static void idle() {
    alive();
    doze();
  }

  void onTick() { ticked_ = true; }

  static SleepClock*& active() {
    static SleepClock* clock = nullptr;
    return clock;
  }

 private:
  void add(uint32_t us) {
    rest_us_ += us;
    ms_ += rest_us_ / 1000;
    rest_us_ %= 1000;
  }

  static void doze() {
    set_sleep_mode(SLEEP_MODE_IDLE);
    sleep_mode();
  }

  // The next tick; the one before it has left the watchdog in reset mode. (A one written to WDIF would lose a tick.)
  void awaitTick() {
    ticked_ = false;
    WDTCSR = (WDTCSR & ~_BV(WDIF)) | _BV(WDIE);
    while (!ticked_) doze();
  }

  // From here a whole period, at whose end comes a tick; one that came too late for the last sleep is forgotten.
  template <uint8_t kPeriod>
  void arm() {
    ticked_ = false;
    set<_BV(WDIF) | _BV(WDIE) | kPeriod>();
  }

  // From here a reset, if nobody says alive().
  static void watch() { set<WDTO_1S>(); }

  // A constant, for it must be written within four cycles of the first word.
  template <uint8_t kMode>
  static void set() {
    static_assert((kMode & 0x38) == 0, "no more than 1 s: the fourth bit of the period lies elsewhere");
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      wdt_reset();
      WDTCSR = _BV(WDCE) | _BV(WDE);
      WDTCSR = _BV(WDE) | kMode;
      wdt_reset();
    }
  }

  volatile bool ticked_ = false;
  uint32_t tick_us_ = 1000000;
  uint32_t ms_ = 0;
  uint32_t rest_us_ = 0;
  uint32_t booked_ = 0;  // micros() up to here are in ms_
};

}  // namespace hearth

ISR(WDT_vect) { hearth::SleepClock::active()->onTick(); }
