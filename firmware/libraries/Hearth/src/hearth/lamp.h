// An RGB lamp: what it shows, what it is to show, and when that is worth remembering.
//
// Knows looks, fades and effects in steps of 10 ms. Does not know radio, EEPROM or PWM.
#pragma once

#include "effects.h"

namespace hearth {

class Lamp {
 public:
  static constexpr uint16_t kSettled = 500;     // 5 s without a new wish: remember it
  static constexpr uint16_t kSoftStart = 100;  // 1 s from dark after power-up: easy on supply and eyes

  void seed(uint16_t seed) { random_.seed(seed); }

  // False when a packet asks for what we do not know; nothing changes then.
  bool show(const Light& wish) {
    if (wish.effect > kBreathe) return false;
    begin({wish.effect, wish.red, wish.green, wish.blue, wish.brightness}, wish.fade);
    unsaved_ = kSettled;
    return true;
  }

  // After power-up, from dark.
  void resume(const Look& look) { begin(look, kSoftStart); }

  // One step of 10 ms; true when the look has settled and is to be stored.
  bool advance() {
    fade_.advance();
    if (!fade_.running() && player_.endless()) {
      const Scene scene = player_.next(random_);
      fade_.start(scene.target, scene.steps);
    }
    return unsaved_ != 0 && --unsaved_ == 0;
  }

  const Look& look() const { return look_; }
  const Levels& levels() const { return fade_.levels(); }

 private:
  // An endless effect comes in within a second and takes `fade` as the length of its round.
  void begin(const Look& look, uint16_t fade) {
    look_ = look;
    player_.start(look, fade);
    if (!player_.endless()) {
      fade_.start(levelsOf(look), fade);
      return;
    }
    const Scene scene = player_.next(random_);
    fade_.start(scene.target, scene.steps < kSoftStart ? scene.steps : kSoftStart);
  }

  Look look_ = {kFade, 0, 0, 0, 0};
  EffectPlayer player_;
  Fade fade_;
  Random random_;
  uint16_t unsaved_ = 0;
};

}  // namespace hearth
