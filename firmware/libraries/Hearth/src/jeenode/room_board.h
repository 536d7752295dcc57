// The room node's board: motion detector and light sensor on port 4, humidity sensor on port 1, two batteries.
//
// Knows which part does what. Does not know packets. Include it once in a program: it owns port D's pin change vector.
//
//   D7 (PD7) motion detector, low while it sees something     A3 light-dependent resistor to ground
//   D4 (PD4) data, A0 (PC0) clock of a HYT131
#pragma once

#include "../hearth/hyt131.h"
#include "i2c_port1.h"
#include "sleeper_board.h"

namespace hearth {

const char kRoomNode[] HEARTH_FLASH = "room_node";

inline volatile bool& motionEdge() {
  static volatile bool edge = false;
  return edge;
}

struct RoomBoard : SleeperBoard {
  void begin() {
    SleeperBoard::begin();
    DDRD &= ~_BV(PD7);
    PORTD |= _BV(PD7);
    PCMSK2 = _BV(PCINT23);
    PCICR = _BV(PCIE2);
    I2cPort1::begin();
  }

  // Now, or since this was last asked: a detector's pulse may be shorter than a packet takes. Either edge counts, for
  // at the rising one too there was motion until then.
  bool motion() {
    const bool edge = motionEdge();
    motionEdge() = false;
    moving_ = edge || !(PIND & _BV(PD7));
    return moving_;
  }

  static uint16_t light() { return Adc::light(); }
  static uint16_t supply() { return Adc::supply(); }

  Climate climate() {
    if (!I2cPort1::start(kHytAddress, false)) {
      I2cPort1::stop();
      return kNoClimate;
    }
    I2cPort1::stop();
    pause(kHytMeasures);
    uint8_t bytes[4];
    const bool there = I2cPort1::start(kHytAddress, true);
    for (uint8_t i = 0; there && i < 4; ++i) bytes[i] = I2cPort1::read(i == 3);
    I2cPort1::stop();
    return there ? decodeHyt(bytes) : kNoClimate;
  }

  // Motion that begins while the node listens is told at once; the house finds the next chance to speak.
  template <class AnyNode>
  void converse(AnyNode& node, uint16_t listen, bool until_motion) {
    SleeperBoard::converse(node, listen, [until_motion] { return until_motion && motionEdge(); });
  }

  // While there is motion, a look each tick is enough.
  void rest() { clock.rest(motionEdge(), moving_); }

 private:
  bool moving_ = false;
};

}  // namespace hearth

ISR(PCINT2_vect) { hearth::motionEdge() = true; }
