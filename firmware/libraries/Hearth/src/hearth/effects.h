// Lights that move by themselves: each effect is an endless chain of fades.
//
// Knows which fade comes next. Does not know the clock or the pins.
#pragma once

#include "fade.h"
#include "gamma.h"
#include "payload.h"
#include "random.h"

namespace hearth {

// What a lamp was asked to show; five bytes that also survive a power cut (wear_ring.h).
HEARTH_WIRE Look {
  uint8_t effect;
  uint8_t red;
  uint8_t green;
  uint8_t blue;
  uint8_t brightness;
};
static_assert(sizeof(Look) == 5, "a look is 5 bytes in the EEPROM");

inline Levels levelsOf(const Look& look) {
  return {{lightOf(look.red, look.brightness), lightOf(look.green, look.brightness), lightOf(look.blue, look.brightness)}};
}

struct Scene {
  Levels target;
  uint16_t steps;
};

class EffectPlayer {
 public:
  // `period` is how long one round lasts, in 10 ms; 0 leaves it to the effect.
  void start(const Look& look, uint16_t period) {
    look_ = look;
    period_ = period;
    at_ = 0;
  }

  bool endless() const { return look_.effect != kFade && look_.brightness != 0; }

  // The fade that follows; only for endless effects.
  Scene next(Random& random) {
    switch (look_.effect) {
      case kCandle: return candle(random);
      case kRainbow: return rainbow();
      default: return breathe();
    }
  }

 private:
  Levels dimmed(uint8_t share) const {
    Look look = look_;
    look.brightness = uint16_t(look.brightness) * share / 255;
    return levelsOf(look);
  }

  // Now and then a draught, else small movements; flames flicker at some 5 to 15 Hz.
  Scene candle(Random& random) const {
    const bool draught = random.between(0, 15) == 0;
    return {dimmed(random.between(draught ? 110 : 190, 255)), random.between(6, 20)};
  }

  // Around the colour circle over its six corners; straight lines in linear light are clean mixtures.
  Scene rainbow() {
    static const uint8_t corners[6] HEARTH_FLASH = {4, 6, 2, 3, 1, 5};  // red, yellow, green, cyan, blue, magenta
    const uint8_t corner = flashByte(&corners[at_]);
    at_ = (at_ + 1) % 6;
    const uint16_t full = lightOf(255, look_.brightness);
    const Levels target = {{uint16_t(corner & 4 ? full : 0), uint16_t(corner & 2 ? full : 0), uint16_t(corner & 1 ? full : 0)}};
    return {target, share(1200, 6)};  // 12 s
  }

  // A cosine between a quarter and all of the brightness, in eight straight pieces.
  Scene breathe() {
    static const uint8_t wave[8] HEARTH_FLASH = {255, 227, 160, 92, 64, 92, 160, 227};
    const uint8_t level = flashByte(&wave[at_]);
    at_ = (at_ + 1) % 8;
    return {dimmed(level), share(400, 8)};  // 4 s: a sleeper's breath
  }

  uint16_t share(uint16_t usual, uint8_t parts) const {
    const uint16_t steps = (period_ ? period_ : usual) / parts;
    return steps ? steps : 1;
  }

  Look look_ = {kFade, 0, 0, 0, 0};
  uint16_t period_ = 0;
  uint8_t at_ = 0;
};

}  // namespace hearth
