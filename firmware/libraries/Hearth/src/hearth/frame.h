// One RF12 "classic" frame as it goes over the air, in both directions.
//
// Knows the header bits, the length limit and the CRC. Does not know radio chips, time, or which node we are.
//
//   AA AA AA AA AA | 2D | group | header | length | payload 0..66 | crc low, high | AA
//                          `------------- under the CRC -------'
//   header:  7 control   6 addressed   5 wants ack   4..0 node: the receiver if addressed, else the sender
#pragma once

#include <stdint.h>

#include "crc.h"

namespace hearth {

constexpr uint8_t kControl = 0x80;
constexpr uint8_t kAddressed = 0x40;
constexpr uint8_t kWantsAck = 0x20;
constexpr uint8_t kNodeMask = 0x1F;
constexpr uint8_t kPayloadMax = 66;
constexpr uint8_t kHearsEverything = 31;         // the id that receives packets for every node
constexpr uint8_t kFrameMax = kPayloadMax + 5;  // group, header, length, two bytes of check

struct Frame {
  uint8_t group;
  uint8_t header;
  uint8_t length;
  bool sound;    // the check was right
  uint8_t rssi;  // half dBm below zero; 0 when the radio cannot tell
  uint8_t payload[kPayloadMax];

  uint8_t node() const { return header & kNodeMask; }
  bool addressed() const { return header & kAddressed; }
  bool wantsAck() const { return (header & (kControl | kWantsAck)) == kWantsAck; }
};

// Whether a node with this id takes the frame, by RF12's rule: broadcasts, what is for it, or everything.
inline bool isFor(const Frame& frame, uint8_t id) {
  return !frame.addressed() || frame.node() == id || id == kHearsEverything;
}

// The header that acks a frame heard by node `me`: back to a broadcast's sender, else "I, me, have it".
inline uint8_t ackHeader(const Frame& frame, uint8_t me) {
  return frame.addressed() ? (kControl | me) : (kControl | kAddressed | frame.node());
}

// Write a frame's bytes from the group to the check; the number of them is returned.
inline uint8_t encodeFrame(const Frame& frame, uint8_t* air) {
  uint8_t count = 0;
  air[count++] = frame.group;
  air[count++] = frame.header;
  air[count++] = frame.length;
  for (uint8_t i = 0; i < frame.length; ++i) air[count++] = frame.payload[i];
  const uint16_t check = crc16(air, count);
  air[count++] = check & 0xFF;
  air[count++] = check >> 8;
  return count;
}

// Puts a frame together byte by byte; the sync bytes have already been eaten by the chip.
class FrameReader {
 public:
  // `group` is what the chip matched; 0 means it matched none, and the group comes as the first byte.
  void start(uint8_t group) {
    crc_ = kCrc16Start;
    at_ = 0;
    frame_.group = group;
    frame_.length = 0;
    frame_.sound = false;
    frame_.rssi = 0;
    if (group != 0) {
      crc_ = crc16(crc_, group);
      at_ = 1;
    }
    first_ = at_;
  }

  bool empty() const { return at_ == first_; }

  // True when this byte completed the frame: whole, or beyond hope because its length cannot be.
  bool feed(uint8_t byte) {
    crc_ = crc16(crc_, byte);
    const uint8_t at = at_++;
    if (at == 0) {
      frame_.group = byte;
    } else if (at == 1) {
      frame_.header = byte;
    } else if (at == 2) {
      if (byte > kPayloadMax) return true;
      frame_.length = byte;
    } else if (at < 3 + frame_.length) {
      frame_.payload[at - 3] = byte;
    } else if (at == 4 + frame_.length) {
      frame_.sound = crc_ == 0;
      return true;
    }
    return false;
  }

  Frame& frame() { return frame_; }

 private:
  Frame frame_;
  uint16_t crc_ = kCrc16Start;
  uint8_t at_ = 0;
  uint8_t first_ = 0;
};

}  // namespace hearth
