// What every node does beside its own business: packets out with an ack awaited, packets in with an ack given,
// settings over the air, and word of itself after a start.
//
// Knows the common payloads. Does not know lamps, detectors or sleep. `Board` has radio (the seam, begin) and eeprom;
// milliseconds and seconds come in as arguments.
#pragma once

#include "exchange.h"
#include "settings_store.h"
#include "version.h"

namespace hearth {

// After a report a sleeping node listens this long: what the house has to tell it must come now.
constexpr uint16_t kListen = 250;  // ms

template <class Board>
class Node {
 public:
  enum Event : uint8_t {
    kNothing,
    kWished,  // a packet of the wished type came: read it with wish(), then say what became of it with answer()
    kSettled,  // our packet was acked, given up or (without an ack wanted) sent
  };

  // `wish` is the type of packet the node itself takes, 0 for none.
  Node(Board& board, Kind kind, uint8_t wish) : board_(board), store_(board.eeprom), kind_(kind), wish_(wish) {}

  // `sequence` ought not to be the same after every start, or a receiver takes the first packet for a repeat.
  void begin(uint8_t factory_id, uint8_t reset, uint8_t sequence, uint16_t ms) {
    settings_ = factorySettings(factory_id);
    found_ = store_.load(settings_);
    reset_ = reset;
    sequence_ = sequence;
    tune(ms);
  }

  const Settings& settings() const { return settings_; }
  uint8_t givenUp() const { return given_up_; }

  // Store settings told over the serial line, and use them; an announcement that is still on its way would be
  // acked to the old id, and begins anew.
  bool adopt(const Settings& settings, uint16_t ms) {
    settings_ = settings;
    const bool saved = store_.save(settings_);
    found_ = kCopyASound | kCopyBSound;
    tune(ms);
    if (exchange_.running() && announcing_) announce(out_.wantsAck(), ms);
    return saved;
  }

  // Whether anything is on its way: our packet, an ack of ours, or new settings.
  bool busy() const { return exchange_.running() || ack_due_ || apply_due_; }
  bool sending() const { return exchange_.running(); }

  // Send a payload to all; its opening is filled in here. Only when nothing is being sent. One that nobody acks is
  // sent once, so it waits a random while: two nodes started together would spoil each other's at every report.
  template <class Payload>
  void send(uint8_t type, Payload payload, bool acked, uint16_t ms) {
    payload.opening = {type, settings_.id, sequence_++};
    out_.group = settings_.group;
    out_.header = settings_.id | (acked ? kWantsAck : 0);
    out_.length = sizeof payload;
    memcpy(out_.payload, &payload, sizeof payload);
    exchange_.start(&out_, acked ? &kNodePatience : nullptr, ms, acked ? 0 : random_.between(0, kStagger));
  }

  // Who we are; the reset cause is told until it has been acked, so `reset` 0 is a node that has not restarted.
  void announce(bool acked, uint16_t ms) {
    const Announce news = {{}, uint8_t(kind_), kMinor, kMajor, reset_, found_, settings_.check()};
    announcing_ = true;
    unheard_ = unheard_ || acked;
    send(kAnnounce, news, acked, ms);
  }

  // Whether nobody has acked that we started: to be said again at the next report.
  bool unheard() const { return unheard_; }

  Event poll(uint16_t ms, uint16_t seconds) {
    giveAck(ms);
    if (apply_due_ && int16_t(ms - apply_at_) >= 0 && !exchange_.running()) apply(ms);
    if (board_.radio.receive(heard_) && heard_.sound && hear(ms, seconds)) return kWished;
    if (ack_due_) return kNothing;
    switch (exchange_.poll(board_.radio, ms, random_)) {
      case Exchange::kNothing: case Exchange::kStarted: return kNothing;
      case Exchange::kGaveUp: ++given_up_; break;
      case Exchange::kAcked: told(); break;
      case Exchange::kSent: break;
    }
    announcing_ = false;
    return kSettled;
  }

  template <class Payload>
  Payload wish() const {
    Payload payload;
    memcpy(&payload, heard_.payload, sizeof payload);
    return payload;
  }

  void answer(AckCode code, uint16_t ms) {
    code_ = code;
    if (!heard_.wantsAck() || !mine()) return;
    const Ack ack = {{kAck, settings_.id, heard_.length > 2 ? heard_.payload[2] : uint8_t(0)}, code};
    ack_.group = settings_.group;
    ack_.header = ackHeader(heard_, settings_.id);
    ack_.length = sizeof ack;
    memcpy(ack_.payload, &ack, sizeof ack);
    ack_due_ = true;
    ack_until_ = ms + kAckPatience;
    giveAck(ms);
  }

 private:
  static constexpr uint8_t kStagger = 63;     // ms, some fifteen packets' length
  static constexpr uint8_t kAckPatience = 8;  // ms: the gateway waits 20, and the ack itself takes 2.7
  // A commit whose ack was lost is asked again within the gateway's 8 tries of at most 100 ms; answer it as whom it asked.
  static constexpr uint16_t kApplyAfter = 500;  // ms

  bool mine() const { return heard_.addressed() && heard_.node() == settings_.id; }

  // True when the node itself must judge what came.
  bool hear(uint16_t ms, uint16_t seconds) {
    if (exchange_.takes(heard_, settings_.id)) return false;
    const bool to_all = !heard_.addressed();
    if ((heard_.header & kControl) || !(mine() || to_all)) return false;
    const uint8_t type = heard_.length ? heard_.payload[0] : 0;
    if (to_all && (type != wish_ || wish_ == 0)) return false;
    const bool ours = type == kSet || type == kCommit || (wish_ != 0 && type == wish_);
    if (!ours) {
      answer(kUnknownType, ms);
      return false;
    }
    if (heard_.length != lengthOf(type)) {
      answer(kBadValue, ms);
      return false;
    }
    // A repeat is the same to the last bit. The number alone would not do: it comes round, and may begin anew.
    const uint16_t check = crc16(heard_.payload, heard_.length);
    if (memcmp(heard_.payload, &last_, sizeof last_) == 0 && check == last_check_) {
      answer(code_, ms);
      return false;
    }
    memcpy(&last_, heard_.payload, sizeof last_);
    last_check_ = check;
    if (type == wish_) return true;
    answer(type == kSet ? stage(wish<Set>(), seconds) : commit(wish<Commit>(), ms, seconds), ms);
    return false;
  }

  // The settings that a change is a change of.
  const Settings& current() const { return apply_due_ ? next_ : settings_; }

  AckCode stage(const Set& set, uint16_t seconds) {
    return staging_.stage(current(), set.key, set.value, seconds) ? kDone : kBadValue;
  }

  AckCode commit(const Commit& commit, uint16_t ms, uint16_t seconds) {
    Settings changed = current();
    if (!staging_.commit(changed, commit.check, seconds)) return kNotCommitted;
    if (!store_.save(changed)) return kBadValue;
    found_ = kCopyASound | kCopyBSound;
    next_ = changed;
    apply_due_ = true;
    apply_at_ = ms + kApplyAfter;
    return kDone;
  }

  void apply(uint16_t ms) {
    settings_ = next_;
    tune(ms);
    announce(false, ms);
  }

  void tune(uint16_t ms) {
    random_.seed(ms ^ settings_.id << 8 ^ settings_.group);
    ack_due_ = false;
    apply_due_ = false;
    board_.radio.begin(settings_.channel());
  }

  void told() {
    if (!announcing_) return;
    unheard_ = false;
    reset_ = 0;
    found_ |= found_ & kDefaultsInUse ? 0 : kCopyASound | kCopyBSound;
  }

  void giveAck(uint16_t ms) {
    if (!ack_due_) return;
    if (board_.radio.send(ack_) || int16_t(ms - ack_until_) >= 0) ack_due_ = false;
  }

  Board& board_;
  SettingsStore<decltype(Board::eeprom)> store_;
  Settings settings_;
  Settings next_;
  Staging staging_;
  Exchange exchange_;
  Random random_;
  Frame heard_;
  Frame ack_;
  Frame out_;
  Opening last_ = {0, 0, 0};
  uint16_t last_check_ = 0;
  AckCode code_ = kDone;
  Kind kind_;
  uint8_t wish_;
  uint8_t sequence_ = 0;
  uint8_t reset_ = 0;
  uint8_t found_ = 0;
  uint8_t given_up_ = 0;
  uint16_t ack_until_ = 0;
  uint16_t apply_at_ = 0;
  bool ack_due_ = false;
  bool apply_due_ = false;
  bool announcing_ = false;
  bool unheard_ = false;
};

}  // namespace hearth
