// One packet on its way: sent, and sent again until its ack comes or the tries are used up.
//
// Knows waiting: for a free channel, for an ack, for a random while between tries. Does not know the radio chip, the
// clock or what the packet says. Used by the gateway for its queue and by nodes for their acked reports.
#pragma once

#include <string.h>

#include "frame.h"
#include "payload.h"
#include "radio.h"
#include "random.h"

namespace hearth {

struct Patience {
  uint8_t tries;
  uint8_t window;     // ms from the packet's end to its ack's
  uint8_t pause_min;  // ms between tries: from here...
  uint8_t pause_max;  // ...to here at the last one, at random, so that two who collided do not again
};

constexpr Patience kGatewayPatience = {8, 20, 10, 80};
constexpr Patience kNodePatience = {8, 12, 20, 150};

class Exchange {
 public:
  enum Result : uint8_t {
    kNothing,
    kStarted,  // a try went on the air
    kSent,     // went on the air, and that is all
    kAcked,
    kGaveUp,
  };

  // The frame must stay where it is until the exchange is over. Without patience it is sent once, and no ack awaited.
  // The first try comes after `pause` ms.
  void start(const Frame* frame, const Patience* patience, uint16_t now, uint16_t pause = 0) {
    frame_ = frame;
    patience_ = patience;
    tries_ = 0;
    acked_ = false;
    want(now, pause);
  }

  void stop() { state_ = kIdle; }
  bool running() const { return state_ != kIdle; }
  uint8_t tries() const { return tries_; }
  const Frame& frame() const { return *frame_; }

  // Whether the next poll would send.
  bool wants(uint16_t now) const { return state_ == kWanting && !acked_ && int16_t(now - due_) >= 0; }

  // Let time pass, in milliseconds; call it often while running.
  template <class AnyRadio>
  Result poll(AnyRadio& radio, uint16_t now, Random& random) {
    if (state_ == kIdle) return kNothing;
    if (acked_) {
      state_ = kIdle;
      return kAcked;
    }
    if (int16_t(now - due_) < 0) return kNothing;
    if (state_ == kWaiting) return missed(now, random);
    if (!radio.send(*frame_)) return taken(now, random);
    ++tries_;
    if (patience_ == nullptr) {
      state_ = kIdle;
      return kSent;
    }
    state_ = kWaiting;
    due_ = now + 1 + airTime(frame_->length) / 1000 + patience_->window;
    return kStarted;
  }

  // True when a heard frame is the ack awaited, which is then done with. `me` is our id.
  bool takes(const Frame& heard, uint8_t me) {
    if (state_ == kIdle || tries_ == 0 || patience_ == nullptr || acked_) return false;
    const uint8_t wanted = frame_->addressed() ? kControl | frame_->node() : kControl | kAddressed | me;
    if (heard.header != wanted || !fits(heard)) return false;
    acked_ = true;
    return true;
  }

 private:
  enum State : uint8_t { kIdle, kWanting, kWaiting };

  // A channel taken for longer than any packet lasts (12.8 ms) and its answer counts as a try.
  static constexpr uint8_t kPatienceWithOthers = 50;  // ms

  // An empty ack is RF12demo's; one of ours names the packet it is for.
  bool fits(const Frame& heard) const {
    if (heard.length == 0) return true;
    if (heard.length != sizeof(Ack) || heard.payload[0] != kAck) return false;
    return frame_->length < sizeof(Opening) || heard.payload[2] == frame_->payload[2];
  }

  void want(uint16_t now, uint16_t pause) {
    state_ = kWanting;
    due_ = now + pause;
    asked_ = false;
  }

  Result missed(uint16_t now, Random& random) {
    if (patience_ == nullptr || tries_ >= patience_->tries) {
      state_ = kIdle;
      return kGaveUp;
    }
    const uint16_t span = uint16_t(patience_->pause_max - patience_->pause_min) * tries_ / patience_->tries;
    want(now, random.between(patience_->pause_min, patience_->pause_min + span));
    return kNothing;
  }

  Result taken(uint16_t now, Random& random) {
    if (!asked_) {
      asked_ = true;
      asked_at_ = now;
    }
    if (uint16_t(now - asked_at_) > kPatienceWithOthers) {
      ++tries_;
      return missed(now, random);
    }
    due_ = now + random.between(1, 4);
    return kNothing;
  }

  const Frame* frame_ = nullptr;
  const Patience* patience_ = nullptr;
  uint16_t due_ = 0;
  uint16_t asked_at_ = 0;
  uint8_t tries_ = 0;
  State state_ = kIdle;
  bool asked_ = false;
  bool acked_ = false;
};

}  // namespace hearth
