// A thermometer node: every report time one packet for each DS18B20 on its wire, and the battery's voltage.
//
// Knows what is told when, and which sensor is which: they are counted in the order of their serial numbers. Does not
// know pins or sleep: `Board` has what room_node.h asks for but for the room, and measure(), temperature(index).
#pragma once

#include "every.h"
#include "node.h"

namespace hearth {

template <class Board>
class OneWireNode {
 public:
  explicit OneWireNode(Board& board) : board_(board), node_(board, kOneWireKind, 0) {}

  void begin(uint8_t reset, uint8_t sequence, uint16_t ms) { node_.begin(kOneWireId, reset, sequence, ms); }

  Node<Board>& node() { return node_; }

  void poll() {
    if (!report_.due(board_.clock.now(), uint32_t(node_.settings().report) * 1000)) return;
    board_.clock.calibrate();
    const uint8_t found = board_.measure();
    const uint16_t battery = board_.supply();
    board_.wakeRadio();
    if (node_.unheard()) {
      node_.announce(true, board_.ms());
      board_.converse(node_, 0);
      board_.wakeRadio();
    }
    // With no sensor at all, one packet says that the first is missing.
    for (uint8_t index = 0; index == 0 || index < found; ++index) {
      const Temperature news = {{}, index, board_.temperature(index), battery};
      node_.send(kTemperature, news, false, board_.ms());
      board_.converse(node_, index + 1 < found ? 0 : kListen);
      if (index + 1 < found) board_.wakeRadio();
    }
  }

 private:
  Board& board_;
  Node<Board> node_;
  Every report_;
};

}  // namespace hearth
