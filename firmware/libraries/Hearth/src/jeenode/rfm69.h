// The RFM69 behind the radio seam, speaking RF12 classic so that it and RFM12Bs hear each other.
//
// Knows the chip's registers (HopeRF RFM69CW data sheet, chapter 6) and its FIFO of 66 bytes. Does not know whose frames
// these are. No interrupt is used: 66 bytes last 10.7 ms on the air, and receive() is called every millisecond.
//
// Classic on this chip: the sync is AA 2D group; length, check and the rest are the frame's own, so the packet engine is
// told "unlimited length" when receiving and the number of bytes when sending, without check, whitening or addresses.
#pragma once

#include <util/delay.h>

#include "../hearth/flash.h"
#include "../hearth/frame.h"
#include "../hearth/radio.h"
#include "spi.h"

namespace hearth {

const char kRfm69[] HEARTH_FLASH = "rfm69";

class Rfm69 {
 public:
  static const char* name() { return kRfm69; }
  static constexpr bool kTellsRssi = true;

  void begin(const Channel& channel) {
    channel_ = channel;
    Spi::begin();
    setUp();
  }

  bool send(const Frame& frame) {
    finish();
    if (state_ != kListening || !reader_.empty() || read(kRssiValue) < kTaken || (read(kFlags2) & kFifoNotEmpty)) {
      return false;
    }
    uint8_t air[kFrameMax];
    const uint8_t count = encodeFrame(frame, air);
    // The group is the sync's last byte already, but for a node of every group.
    const uint8_t from = channel_.group ? 1 : 0;
    write(kMode, kStandby);
    write(kFlags2, kFifoOverrun);  // empties the FIFO
    write(kPayloadLength, count - from);
    uint8_t at = from;
    while (at < count && at < kFifoSize) write(kFifo, air[at++]);
    write(kMode, kTransmitter);
    state_ = kSending;
    // The last bytes of the longest frames find room when the sync is out, 1.1 ms later; 2 ms are enough or it is hopeless.
    for (uint8_t tries = 0; at < count && tries < 200; ++tries) {
      if (read(kFlags2) & kFifoFull) {
        _delay_us(10);
      } else {
        write(kFifo, air[at++]);
      }
    }
    return true;
  }

  bool receive(Frame& frame) {
    finish();
    if (state_ != kListening) return false;
    uint8_t flags;
    while ((flags = read(kFlags2)) & kFifoNotEmpty) {
      if (reader_.empty()) rssi_ = read(kRssiValue);
      if (!reader_.feed(read(kFifo))) continue;
      frame = reader_.frame();
      frame.rssi = rssi_;
      listen();
      return true;
    }
    if (flags & kFifoOverrun) listen();
    return false;
  }

  bool sending() {
    finish();
    return state_ == kSending;
  }

  void sleep() {
    write(kMode, kAsleep);
    state_ = kSleeping;
  }

  // Set up from the start: what happened to its supply while it slept nobody saw.
  void wake() { setUp(); }

  // Called about once a second, with seconds; tells what was wrong, when it has been put right.
  Health health(uint16_t now) {
    if (state_ == kSleeping || uint16_t(now - silent_at_) < kSilenceLimit) return Health::kFine;
    const bool there = read(kVersion) == kRfm69Version;
    const bool ours = read(kSync + 1) == kSyncByte && (read(kMode) == kReceiver || state_ == kSending);
    const bool stuck = state_ == kSending && was_sending_ && sent_ == sent_before_;
    was_sending_ = state_ == kSending;
    sent_before_ = sent_;
    if (there && ours && !stuck) return Health::kFine;
    setUp();
    if (there && !ours) return Health::kPowerReset;
    silent_at_ = now;
    return Health::kSilent;
  }

 private:
  enum State : uint8_t { kSleeping, kListening, kSending };

  enum Register : uint8_t {
    kFifo = 0x00,
    kMode = 0x01,
    kDataModulation = 0x02,
    kBitRate = 0x03,
    kDeviation = 0x05,
    kFrequency = 0x07,
    kVersion = 0x10,
    kPower = 0x11,
    kReceiverBandwidth = 0x19,
    kRssiValue = 0x24,
    kFlags2 = 0x28,
    kPreambleLow = 0x2D,
    kSyncConfig = 0x2E,
    kSync = 0x2F,
    kPacketConfig1 = 0x37,
    kPayloadLength = 0x38,
    kFifoThreshold = 0x3C,
    kPacketConfig2 = 0x3D,
    kTestDagc = 0x6F,
  };

  enum Mode : uint8_t { kAsleep = 0x00, kStandby = 0x04, kTransmitter = 0x0C, kReceiver = 0x10 };

  enum Flag2 : uint8_t { kFifoFull = 0x80, kFifoNotEmpty = 0x40, kFifoOverrun = 0x10, kPacketSent = 0x08 };

  static constexpr uint8_t kSilenceLimit = 5;  // seconds between two attempts at a chip that does not answer
  static constexpr uint8_t kFifoSize = 66;
  static constexpr uint8_t kRfm69Version = 0x24;
  static constexpr uint8_t kSyncByte = 0x2D;
  static constexpr uint8_t kTaken = 2 * 91;  // stronger than -91 dBm somebody is sending, as the RFM12B judges it

  static uint8_t read(uint8_t at) {
    Spi::select();
    Spi::exchange(at);
    const uint8_t value = Spi::exchange(0);
    Spi::release();
    return value;
  }

  static void write(uint8_t at, uint8_t value) {
    Spi::select();
    Spi::exchange(at | 0x80);
    Spi::exchange(value);
    Spi::release();
  }

  void finish() {
    if (state_ != kSending || !(read(kFlags2) & kPacketSent)) return;
    ++sent_;
    listen();
  }

  void listen() {
    reader_.start(channel_.group);
    write(kMode, kStandby);
    write(kFlags2, kFifoOverrun);
    write(kPayloadLength, 0);  // as long as it takes
    write(kMode, kReceiver);
    state_ = kListening;
  }

  // In units of 32 MHz / 2^19: 40.96 for each 2.5 kHz of the RFM12B's scale.
  uint32_t frequency() const {
    const uint32_t band = channel_.band == 4 ? 1 : channel_.band == 8 ? 2 : 3;
    const uint32_t base = band == 1 ? 172000 : band == 2 ? 344000 : 360000;
    return (base + band * channel_.offset) * 1024 / 25;
  }

  void setUp() {
    const uint32_t frequency = this->frequency();
    const uint8_t table[][2] = {
        {kMode, kStandby},
        {kDataModulation, 0x00},  // packets, FSK, no shaping
        {kBitRate, 0x02},
        {kBitRate + 1, 0x8A},  // 32 MHz / 650 = 49.23 kbit/s; the RFM12B's 49.26 is 0.06 % away
        {kDeviation, 0x05},
        {kDeviation + 1, 0xC3},  // 90 kHz / 61 Hz
        {kFrequency, uint8_t(frequency >> 16)},
        {kFrequency + 1, uint8_t(frequency >> 8)},
        {kFrequency + 2, uint8_t(frequency)},
        {kPower, 0x9F},              // 13 dBm from the one amplifier a CW and a W have; an HW/HCW needs 0x5F
        {kReceiverBandwidth, 0x42},  // 125 kHz to each side: deviation and half the bit rate are 115
        {kPreambleLow, 4},           // and the sync's first byte makes the five of an RFM12B
        {kSyncConfig, uint8_t(channel_.group ? 0x90 : 0x88)},  // on, three bytes or two, no errors allowed
        {kSync, 0xAA},
        {kSync + 1, kSyncByte},
        {kSync + 2, channel_.group},
        {kPacketConfig1, 0x00},  // length by register, no whitening, check or address
        {kFifoThreshold, 0x8F},  // sending begins with the first byte
        {kPacketConfig2, 0x02},  // no automatic encryption
        {kTestDagc, 0x30},       // the data sheet's advice for receivers
    };
    for (const auto& row : table) write(row[0], row[1]);
    listen();
  }

  Channel channel_ = {8, 212, 1600};
  FrameReader reader_;
  uint8_t rssi_ = 0;
  uint8_t sent_ = 0;
  uint8_t sent_before_ = 0;
  bool was_sending_ = false;
  uint16_t silent_at_ = -kSilenceLimit;  // long enough ago for the first look
  State state_ = kSleeping;
};

using Radio = Rfm69;

}  // namespace hearth
