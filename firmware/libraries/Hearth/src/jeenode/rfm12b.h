// The RFM12B behind the radio seam: a byte at a time, fed and emptied by its interrupt.
//
// Knows the chip's 16-bit commands (HopeRF RFM12B data sheet, chapter "Control commands") and the pins nSEL = PB2,
// nIRQ = PD2/INT0. Does not know whose frames these are. Include it once in a program: it owns INT0's vector.
//
// nIRQ stays low while the chip wants anything, so the interrupt is level-triggered: one missed is asked for again.
// A byte takes 162 us; nobody may keep interrupts off longer than that. Every 2 s without a frame the chip's
// wake-up timer says that chip, wire and interrupt are alive; when it too stays away, the chip is set up anew.
#pragma once

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/delay.h>

#include "../hearth/flash.h"
#include "../hearth/frame.h"
#include "../hearth/radio.h"
#include "spi.h"

namespace hearth {

const char kRfm12b[] HEARTH_FLASH = "rfm12b";

class Rfm12b {
 public:
  static const char* name() { return kRfm12b; }
  static constexpr bool kTellsRssi = false;

  void begin(const Channel& channel) {
    channel_ = channel;
    active() = this;
    setUp();
  }

  bool send(const Frame& frame) {
    hold();
    bool free = state_ == kListening && reader_.empty();
    if (free) {
      const uint16_t status = command(kStatus);
      note(status);
      free = !(status & (kByteReady | kSignal));
    }
    if (free) {
      count_ = kPreamble + encodeFrame(frame, air_ + kPreamble);
      air_[count_++] = 0xAA;  // covers the check's last byte while it leaves the shift register
      at_ = 0;
      state_ = kSending;
      command(kRest);
      command(kTransmit);
    }
    let();
    return free;
  }

  bool receive(Frame& frame) {
    if (state_ != kHolding) return false;
    hold();
    frame = reader_.frame();
    listen();
    let();
    return true;
  }

  bool sending() const { return state_ == kSending; }

  void sleep() {
    hold();
    command(kAsleep);
    state_ = kSleeping;
  }

  // Set up from the start: what happened to its supply while it slept nobody saw. Its crystal and its RSSI take
  // some 3 ms until they can be relied upon.
  void wake() { setUp(); }

  // Called about once a second, with seconds; tells what was wrong, when it has been put right.
  Health health(uint16_t now) {
    if (power_reset_) {
      setUp();
      heard_at_ = now;
      return Health::kPowerReset;
    }
    if (beats_ != heard_ || state_ == kSleeping) {
      heard_ = beats_;
      heard_at_ = now;
    } else if (uint16_t(now - heard_at_) > kSilenceLimit) {
      setUp();
      heard_at_ = now;
      return Health::kSilent;
    }
    return Health::kFine;
  }

  // The interrupt: one status word and at most two commands, 32 us at the 2 MHz of the bus.
  void serve() {
    const uint16_t status = command(kStatus);
    note(status);
    if (power_reset_) return;
    if (!(status & kByteReady)) return;
    if (state_ == kSending) {
      if (at_ < count_) {
        command(kSendByte | air_[at_++]);
      } else {
        listen();
      }
      return;
    }
    const uint8_t byte = command(kReadByte);
    if (state_ == kListening && reader_.feed(byte)) {
      state_ = kHolding;
      command(kRest);
    }
  }

  static Rfm12b*& active() {
    static Rfm12b* radio = nullptr;
    return radio;
  }

 private:
  enum State : uint8_t { kSleeping, kListening, kHolding, kSending };

  enum Command : uint16_t {
    kStatus = 0x0000,
    kReceive = 0x82DD,
    kReceiveWatched = 0x82DF,  // and the wake-up timer runs
    kTransmit = 0x823D,
    kRest = 0x820D,  // crystal on, nothing else
    kAsleep = 0x8205,
    kSendByte = 0xB800,
    kReadByte = 0xB000,
  };

  enum StatusBit : uint16_t {
    kByteReady = 0x8000,  // receiving: FIFO has 8 bits; sending: room for a byte
    kPowerOn = 0x4000,
    kWoke = 0x1000,
    kSignal = 0x0100,  // above the RSSI threshold of -91 dBm
  };

  // Three bytes to find the bit rate by and the sync's first; the chip itself sends two more ahead of them, which its
  // transmit register holds when it is switched on (data sheet, "Transmitter register write command").
  static constexpr uint8_t kPreamble = 4;
  static constexpr uint8_t kSilenceLimit = 4;  // seconds: one heartbeat may be missed
  static constexpr uint16_t kHeartbeat = 0xE479;  // wake-up timer: 1.03 ms * 121 * 2^4 = 2.0 s (R = 4, M = 0x79)

  static uint16_t command(uint16_t word) {
    Spi::select();
    const uint16_t high = Spi::exchange(word >> 8);
    const uint16_t answer = high << 8 | Spi::exchange(word & 0xFF);
    Spi::release();
    return answer;
  }

  static void hold() { EIMSK &= ~_BV(INT0); }
  static void let() { EIMSK |= _BV(INT0); }

  void note(uint16_t status) {
    ++beats_;
    if (status & kPowerOn) {
      power_reset_ = true;
      hold();
    }
    if (status & kWoke) {
      command(kReceive);
      command(kReceiveWatched);
    }
  }

  // Only switching the receiver off and on makes the chip look for the sync bytes again.
  void listen() {
    reader_.start(channel_.group);
    state_ = kListening;
    command(kRest);
    command(kReceiveWatched);
  }

  void setUp() {
    hold();
    DDRD &= ~_BV(PD2);
    PORTD |= _BV(PD2);
    EICRA &= ~(_BV(ISC00) | _BV(ISC01));
    Spi::begin();
    command(kStatus);
    command(kAsleep);
    command(kSendByte);
    // nIRQ rises when the chip's own power-up is over; without a chip the pull-up ends this at once,
    // and with a broken one 100 ms do: health() tries again.
    for (uint16_t tries = 0; tries < 1000 && !(PIND & _BV(PD2)); ++tries) {
      command(kStatus);
      _delay_us(100);
    }
    const uint8_t band = channel_.band == 4 ? 1 : channel_.band == 8 ? 2 : 3;
    const uint16_t words[] = {
        uint16_t(0x80C7 | band << 4),        // transmit register and FIFO on, band, 12 pF crystal load
        uint16_t(0xA000 | channel_.offset),  // frequency
        0xC606,                              // 10 MHz / 29 / (6 + 1) = 49.26 kbit/s
        0x94A2,                              // valid data fast, 134 kHz, full gain, RSSI threshold -91 dBm
        0xC2AC,                              // clock lock automatic, digital filter, DQD threshold 4
        uint16_t(channel_.group ? 0xCA83 : 0xCA8B),  // FIFO interrupt at 8 bits; sync of two bytes, or one
        uint16_t(channel_.group ? 0xCE00 | channel_.group : 0xCE2D),  // the sync's last byte
        0xC483,                              // automatic frequency control always, no limit
        0x9850,                              // deviation 90 kHz, full power
        0xCC77,                              // PLL: fast clock output, low-noise bandwidth
        kHeartbeat,
        0xC800,  // no low duty-cycle mode
        0xC049,  // clock output 1.66 MHz, low battery at 3.15 V
    };
    for (const uint16_t word : words) command(word);
    power_reset_ = false;
    listen();
    let();
  }

  Channel channel_ = {8, 212, 1600};
  FrameReader reader_;
  uint8_t air_[kPreamble + kFrameMax + 1] = {0xAA, 0xAA, 0xAA, 0x2D};
  uint8_t count_ = 0;
  uint8_t at_ = 0;
  volatile State state_ = kSleeping;
  volatile bool power_reset_ = false;
  volatile uint8_t beats_ = 0;
  uint8_t heard_ = 0;
  uint16_t heard_at_ = 0;
};

using Radio = Rfm12b;

}  // namespace hearth

ISR(INT0_vect) { hearth::Rfm12b::active()->serve(); }
