// A room node: tells when motion begins and ends, at once and acked, and at its report time how the room is.
//
// Knows what is told when. Does not know pins or sleep: `Board` has radio and eeprom for node.h, motion(), light(),
// supply(), climate(), wakeRadio(), converse(node, ms, until_motion), ms() awake, and a clock with now() and calibrate().
#pragma once

#include "every.h"
#include "hyt131.h"
#include "motion.h"
#include "node.h"

namespace hearth {

template <class Board>
class RoomNode {
 public:
  explicit RoomNode(Board& board) : board_(board), node_(board, kRoomKind, 0) {}

  void begin(uint8_t reset, uint8_t sequence, uint16_t ms) { node_.begin(kRoomId, reset, sequence, ms); }

  Node<Board>& node() { return node_; }

  // One look at the detector and the clock, after each wake-up.
  void poll() {
    look();
    if (!report_.due(board_.clock.now(), uint32_t(node_.settings().report) * 1000)) return;
    board_.clock.calibrate();
    if (node_.unheard()) introduceAgain();
    report();
  }

  // Of the detector alone; true when there was something to tell.
  bool look() {
    const MotionWatch::Event event = watch_.look(board_.motion(), board_.clock.now(), node_.settings().hold);
    if (event == MotionWatch::kNone) return false;
    tellMotion(event == MotionWatch::kBegan);
    return true;
  }

 private:
  void tellMotion(bool began) {
    const Motion news = {{}, began, board_.light(), board_.supply(), node_.givenUp()};
    board_.wakeRadio();
    node_.send(kMotion, news, true, board_.ms());
    board_.converse(node_, 0, false);
  }

  void introduceAgain() {
    board_.wakeRadio();
    node_.announce(true, board_.ms());
    board_.converse(node_, 0, false);
  }

  void report() {
    const Climate climate = board_.climate();
    const Room news = {{},           watch_.moving(), climate.temperature, climate.humidity, board_.light(),
                       board_.supply(), node_.givenUp()};
    board_.wakeRadio();
    node_.send(kRoom, news, false, board_.ms());
    board_.converse(node_, kListen, !watch_.moving());
  }

  Board& board_;
  Node<Board> node_;
  MotionWatch watch_;
  Every report_;
};

}  // namespace hearth
