// A light node: the lamp, its memory, its radio and its serial line put together.
//
// Knows what happens when. Does not know chips: `Board` has radio, eeprom, host (put, available, take) and strip (show).
#pragma once

#include "lamp.h"
#include "node.h"
#include "node_console.h"
#include "seconds.h"
#include "wear_ring.h"

namespace hearth {

template <class Board>
class LedNode {
 public:
  LedNode(Board& board, const char* name)
      : board_(board),
        node_(board, kLedKind, kLight),
        console_(board.host, name),
        ring_(board.eeprom, kRing, kEepromSize) {}

  void begin(uint8_t reset, uint8_t sequence, uint32_t ms) {
    Look look;
    if (ring_.load(look)) lamp_.resume(look);
    node_.begin(kLedId, reset, sequence, ms);
    lamp_.seed(ms ^ node_.settings().id << 8);
    console_.greet(node_.settings());
    node_.announce(true, ms);
    stepped_at_ = ms;
    announced_at_ = seconds_.at(ms);
  }

  // Let time pass, in milliseconds; call it at every chance.
  void poll(uint32_t ms) {
    const uint16_t seconds = seconds_.at(ms);
    if (node_.poll(ms, seconds) == Node<Board>::kWished) {
      node_.answer(lamp_.show(node_.template wish<Light>()) ? kDone : kBadValue, ms);
    }
    // A light hardly ever speaks; so that it is missed when it cannot, it says every report time that it is there.
    if (uint16_t(seconds - announced_at_) >= node_.settings().report && !node_.busy()) {
      announced_at_ = seconds;
      node_.announce(node_.unheard(), ms);
    }
    for (; uint16_t(ms - stepped_at_) >= kStep; stepped_at_ += kStep) step();
    Settings settings = node_.settings();
    while (board_.host.available()) {
      if (console_.hear(board_.host.take(), settings)) node_.adopt(settings, ms);
    }
  }

  bool busy() const { return node_.busy(); }

 private:
  static constexpr uint8_t kStep = 10;  // ms

  void step() {
    if (lamp_.advance()) ring_.save(lamp_.look());
    if (lamp_.levels() == shown_) return;
    shown_ = lamp_.levels();
    board_.strip.show(shown_);
  }

  Board& board_;
  Node<Board> node_;
  NodeConsole<decltype(Board::host)> console_;
  WearRing<decltype(Board::eeprom), Look> ring_;
  Lamp lamp_;
  Seconds seconds_;
  Levels shown_ = {{0, 0, 0}};
  uint16_t stepped_at_ = 0;
  uint16_t announced_at_ = 0;
};

}  // namespace hearth
