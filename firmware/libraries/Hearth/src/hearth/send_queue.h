// The packets a gateway was asked to send and has not done with yet: first in, first out, four at most.
//
// Knows order and room. Does not know how a packet is sent.
#pragma once

#include "frame.h"

namespace hearth {

constexpr uint8_t kQueueLength = 4;

struct Parcel {
  enum Manner : uint8_t {
    kStock,     // RF12demo's s and a: sent once, " -> 6 b" when it goes
    kOnce,      // n: sent once, SENT
    kInsistent  // u: until ACK or NAK
  };
  Frame frame;
  uint8_t tag;
  Manner manner;
};

class SendQueue {
 public:
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == kQueueLength; }
  uint8_t count() const { return count_; }

  // The place for one more, taken with this call; only when not full.
  Parcel& add() { return parcels_[(first_ + count_++) % kQueueLength]; }

  Parcel& first() { return parcels_[first_]; }
  Parcel& last() { return parcels_[(first_ + count_ - 1) % kQueueLength]; }

  void removeFirst() {
    first_ = (first_ + 1) % kQueueLength;
    --count_;
  }

 private:
  Parcel parcels_[kQueueLength];
  uint8_t first_ = 0;
  uint8_t count_ = 0;
};

}  // namespace hearth
