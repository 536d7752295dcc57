// The gateway's radio side: hears, acks, shows; sends what is queued and says what became of it.
//
// Knows order: an ack first, then what was heard, then the queue; one packet in flight. Does not know commands.
// `Board` has radio (the seam), host (put, room) and eeprom; time is milliseconds and comes in as an argument.
// Nothing here waits: when the host's line has no room, packets stay in the radio and the queue.
#pragma once

#include "config_line.h"
#include "duty.h"
#include "exchange.h"
#include "frame_lines.h"
#include "send_queue.h"
#include "settings.h"

namespace hearth {

template <class Board>
class Relay {
 public:
  using Lines = LineWriter<decltype(Board::host)>;

  // The longest line: 66 bytes in decimal with check and signal strength, then " -> ack" with its check.
  static constexpr uint16_t kLineRoom = 320;

  Relay(Board& board, Lines& lines) : board_(board), lines_(lines) {}

  // Take up the channel of the settings, from the start and after each change of them.
  void begin(const Settings& settings, uint8_t flags, uint16_t now) {
    if (settings.band != band_) duty_.start(settings.band, now);
    band_ = settings.band;
    settings_ = &settings;
    flags_ = flags;
    ack_due_ = false;
    random_.seed(now ^ settings.id << 8 ^ settings.group);
    board_.radio.begin(settings.channel());
  }

  void flags(uint8_t flags) { flags_ = flags; }

  bool full() const { return queue_.full(); }
  bool affords(uint8_t length) const { return duty_.affords(airTime(length)); }

  // A packet of this length was sent past the queue.
  void spend(uint8_t length) { duty_.spend(airTime(length)); }

  // The place for a packet to send; in a full queue that of the last RF12demo packet, which RF12demo too would lose.
  Parcel& add() { return queue_.full() ? queue_.last() : queue_.add(); }

  // An ack waits for its moment: the processor must not sleep.
  bool busy() const { return ack_due_; }

  void poll(uint16_t now) {
    duty_.refill(now);
    giveAck(now);
    if (!held_ && board_.radio.receive(heard_)) hear(now);
    if (board_.host.room() < kLineRoom) return;
    if (held_) {
      show();
      held_ = false;
    }
    if (ack_due_) return;
    if (!exchange_.running() && !queue_.empty()) launch(now);
    if (exchange_.wants(now) && !affordsFirst()) return refuse();
    report(exchange_.poll(board_.radio, now, random_));
  }

 private:
  // An ack later than this would fall into the sender's next try (nodes wait 12 ms, RF12 10 ms).
  static constexpr uint8_t kAckPatience = 6;  // ms

  void hear(uint16_t now) {
    if (!heard_.sound) {
      held_ = !(flags_ & kQuietFlag);
      return;
    }
    if (!isFor(heard_, settings_->id)) return;
    held_ = true;
    const bool for_us = !heard_.addressed() || heard_.node() == settings_->id;
    if (!heard_.wantsAck() || !for_us || (flags_ & kCollectFlag)) return;
    ack_.group = heard_.group;
    ack_.header = ackHeader(heard_, settings_->id);
    ack_.length = 0;
    if (ours(heard_)) {
      const uint8_t ack[] = {hearth::kAck, settings_->id, heard_.payload[2], kDone};
      ack_.length = sizeof ack;
      memcpy(ack_.payload, ack, sizeof ack);
    }
    ack_due_ = true;
    ack_until_ = now + kAckPatience;
    giveAck(now);
  }

  // A payload of our own nodes gets an ack that names it; a stranger's gets RF12's empty one.
  static bool ours(const Frame& frame) {
    return frame.length >= sizeof(Opening) && frame.length == lengthOf(frame.payload[0]) &&
           (frame.addressed() || frame.payload[1] == frame.node());
  }

  void giveAck(uint16_t now) {
    if (!ack_due_) return;
    if (board_.radio.send(ack_)) {
      duty_.spend(airTime(ack_.length));
      ack_due_ = false;
      ack_given_ = true;
    } else if (int16_t(now - ack_until_) >= 0) {
      ack_due_ = false;
    }
  }

  void show() {
    const bool answer = heard_.sound && exchange_.takes(heard_, settings_->id);
    if (answer && lines_.numbering()) {
      result(kAcked).letter(' ').decimal(exchange_.frame().node()).letter(' ').decimal(exchange_.tries());
      for (uint8_t i = 0; i < heard_.length; ++i) lines_.letter(' ').decimal(heard_.payload[i]);
      lines_.end();
    } else {
      printFrame(lines_, heard_, {uint8_t(flags_ & kHexFlags), settings_->group == 0, decltype(Board::radio)::kTellsRssi});
    }
    if (answer) done();
    if (ack_given_) lines_.text(kAckGiven).end();
    ack_given_ = false;
  }

  // A packet that was affordable when it was queued need not be after others, nor at its eighth try.
  bool affordsFirst() {
    const Parcel& parcel = queue_.first();
    return parcel.manner == Parcel::kStock || affords(parcel.frame.length);
  }

  void launch(uint16_t now) {
    Parcel& parcel = queue_.first();
    parcel.frame.group = settings_->group;
    exchange_.start(&parcel.frame, parcel.manner == Parcel::kInsistent ? &kGatewayPatience : nullptr, now);
  }

  void report(Exchange::Result result) {
    if (result == Exchange::kNothing) return;
    const Parcel& parcel = queue_.first();
    const uint32_t air = airTime(parcel.frame.length);
    if (result == Exchange::kGaveUp) {
      refuse();
      return;
    }
    duty_.spend(air);
    if (result == Exchange::kStarted) return;
    if (parcel.manner == Parcel::kStock) {
      lines_.text(kArrow).decimal(parcel.frame.length).letter(' ').letter('b').end();
    } else {
      this->result(kSent).end();
    }
    done();
  }

  void refuse() {
    result(kNotAcked).letter(' ').decimal(queue_.first().frame.node()).letter(' ').decimal(exchange_.tries()).end();
    done();
  }

  Lines& result(const char* verdict) { return lines_.text(verdict).decimal(queue_.first().tag); }

  void done() {
    exchange_.stop();
    queue_.removeFirst();
  }

  Board& board_;
  Lines& lines_;
  const Settings* settings_ = nullptr;
  SendQueue queue_;
  Exchange exchange_;
  Duty duty_;
  Random random_;
  Frame heard_;
  Frame ack_;
  uint16_t ack_until_ = 0;
  uint8_t flags_ = 0;
  uint8_t band_ = 0;
  bool held_ = false;
  bool ack_due_ = false;
  bool ack_given_ = false;
};

}  // namespace hearth
