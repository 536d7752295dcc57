// Time for a node that sleeps: the watchdog ticks once a second whether the processor runs or not, and nothing ever
// restarts it, so an interrupted sleep is not miscounted.
//
// Knows ticks and how long they really last: the watchdog's oscillator may be 10 % off (ATmega328P data sheet, "Typical
// characteristics"), so it is measured against the crystal. Does not know why the node wakes.
// Include it once in a program: it owns the watchdog.
//
// The watchdog is also a watchdog: it runs in "interrupt, then reset" mode, the hardware takes the interrupt away each
// time it is used, and only alive() gives it back. A program that hangs is reset within two ticks; only one that hangs
// with interrupts off is not, for the interrupt is then never used up.
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

  // Milliseconds since the start, in steps of a tick.
  uint32_t now() {
    uint8_t ticks;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      ticks = ticks_;
      ticks_ = 0;
    }
    while (ticks--) add(tick_us_);
    return ms_;
  }

  // Say that the program still goes its way; at least once a tick. (A one written to WDIF would lose a tick.)
  static void alive() { WDTCSR = (WDTCSR & ~_BV(WDIF)) | _BV(WDIE); }

  // Measure the watchdog: two of its shortest periods, of which the second is timed. 32 ms, booked as the time they took.
  void calibrate() {
    now();
    const uint32_t started = micros();
    set(WDTO_15MS);
    awaitTick();
    const uint32_t from = micros();
    awaitTick();
    const uint32_t length = micros() - from;
    // Anything else than 16 ms give or take a third is no measurement.
    if (length > 10000 && length < 22000) tick_us_ = length << 6;
    add(micros() - started);
    set(WDTO_1S);
    ticks_ = 0;
  }

  // Power down until a tick or a pin change, unless one came since `woken` was last false.
  void rest(const volatile bool& woken) {
    alive();
    set_sleep_mode(SLEEP_MODE_PWR_DOWN);
    cli();
    if (woken || ticks_ != 0) {
      sei();
      return;
    }
    sleep_enable();
    sleep_bod_disable();
    sei();  // takes effect after the next instruction, so nothing can come between
    sleep_cpu();
    sleep_disable();
  }

  // Wait with the clocks running: for the radio, for a sensor.
  static void idle() {
    alive();
    set_sleep_mode(SLEEP_MODE_IDLE);
    sleep_mode();
  }

  void onTick() { ++ticks_; }

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

  void awaitTick() {
    ticks_ = 0;
    while (ticks_ == 0) idle();
  }

  static void set(uint8_t period) {
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      wdt_reset();
      WDTCSR = _BV(WDCE) | _BV(WDE);
      WDTCSR = _BV(WDIE) | _BV(WDE) | (period & 7) | (period & 8 ? _BV(WDP3) : 0);
      wdt_reset();  // the first period is a whole one
    }
  }

  volatile uint8_t ticks_ = 0;
  uint32_t tick_us_ = 1000000;
  uint32_t ms_ = 0;
  uint32_t rest_us_ = 0;
};

}  // namespace hearth

ISR(WDT_vect) { hearth::SleepClock::active()->onTick(); }
