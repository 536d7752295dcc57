// Fades, gamma, dither, effects and the memory of the last colour.
#include <algorithm>
#include <cmath>
#include <initializer_list>

#include <hearth/dither.h>
#include <hearth/lamp.h>
#include <hearth/settings_store.h>
#include <hearth/wear_ring.h>

#include "check.h"
#include "fakes.h"

using namespace hearth;

static Light wish(uint8_t effect, uint8_t r, uint8_t g, uint8_t b, uint8_t brightness, uint16_t fade) {
  return {{kLight, 30, 0}, effect, r, g, b, brightness, fade};
}

TEST(fade_is_monotonic_and_exact, "A fade of any length goes one way only and ends exactly on its target") {
  const uint16_t points[] = {0, 1, 255, 256, 32767, 32768, 65534, 65535};
  for (const uint16_t from : points) {
    for (const uint16_t to : points) {
      for (const uint16_t steps : {1, 2, 3, 7, 200, 65535}) {
        if (steps == 65535 && from != 0 && to != 0) continue;
        Fade fade;
        fade.start({{from, 0, to}}, 0);
        fade.start({{to, 65535, from}}, steps);
        uint16_t last = from;
        for (uint32_t step = 1; step <= steps; ++step) {
          EQUAL(step == steps, fade.advance());
          const uint16_t now = fade.levels().channel[0];
          CHECK(from <= to ? now >= last && now <= to : now <= last && now >= to);
          last = now;
        }
        CHECK(!fade.running());
        CHECK((fade.levels() == Levels{{to, 65535, from}}));
      }
    }
  }
}

TEST(fade_halfway_is_half_the_light, "Light goes in equal steps: half-way in time is half-way in light, to two counts") {
  for (const uint16_t steps : {2, 100, 60000}) {
    Fade fade;
    fade.start({{65535, 30000, 0}}, steps);
    for (uint16_t step = 0; step < steps / 2; ++step) fade.advance();
    CHECK(std::abs(fade.levels().channel[0] - 32767) <= 2);
    CHECK(std::abs(fade.levels().channel[1] - 15000) <= 2);
  }
}

TEST(fade_turns_round, "A new target in the middle of a fade is reached from where the light is, without a jump") {
  Fade fade;
  fade.start({{60000, 0, 0}}, 100);
  for (int step = 0; step < 50; ++step) fade.advance();
  const uint16_t before = fade.levels().channel[0];
  fade.start({{0, 0, 0}}, 100);
  EQUAL(before, fade.levels().channel[0]);
  fade.advance();
  CHECK(before - fade.levels().channel[0] <= before / 100 + 1);
}

TEST(gamma_is_the_curve, "The table in flash is CIE 1931 lightness, rounded, and rises with every step") {
  for (int value = 0; value < 256; ++value) {
    const double l = value * 100 / 255.0;
    const double y = l <= 8 ? l / 903.2963 : std::pow((l + 16) / 116, 3);
    CHECK(std::abs(kLightOf[value] - 65535 * y) <= 0.51);
    CHECK(value == 0 || kLightOf[value] > kLightOf[value - 1]);
    EQUAL(kLightOf[value], lightOf(value, 255));
    EQUAL(kLightOf[value], lightOf(255, value));
    EQUAL(0, lightOf(value, 0));
  }
}

TEST(dither_keeps_the_mean, "Over sixteen periods the light is right to half of a sixteenth of a count, dark and full exactly") {
  for (uint32_t level = 0; level <= 65535; ++level) {
    const Dithered dithered = Dithered::of(level);
    unsigned sum = 0;
    for (uint8_t period = 0; period < 16; ++period) {
      const uint16_t counts = dithered.counts(Dithered::placeOf(period));
      CHECK(counts <= 256 && counts - dithered.whole <= 1);
      sum += counts;
    }
    CHECK(std::abs(sum - level * 4096 / 65535.0) <= 1.01);
    if (level == 0) EQUAL(0, sum);
    if (level == 65535) EQUAL(4096, sum);
  }
}

TEST(dither_is_even, "The longer periods are spread: half of them is every second one") {
  const Dithered half = {10, 8};
  for (uint8_t period = 0; period < 15; ++period) {
    CHECK(half.counts(Dithered::placeOf(period)) != half.counts(Dithered::placeOf(period + 1)));
  }
}

TEST(lamp_fades_and_settles, "A lamp reaches its colour after its fade, and asks to be remembered 5 s after the last wish") {
  Lamp lamp;
  CHECK(lamp.show(wish(kFade, 255, 120, 20, 128, 200)));
  for (int step = 1; step < 200; ++step) CHECK(!lamp.advance());
  CHECK((lamp.levels() != Levels{{lightOf(255, 128), lightOf(120, 128), lightOf(20, 128)}}));
  lamp.advance();
  CHECK((lamp.levels() == Levels{{lightOf(255, 128), lightOf(120, 128), lightOf(20, 128)}}));
  for (int step = 201; step < 500; ++step) CHECK(!lamp.advance());
  CHECK(lamp.advance());
  EQUAL(120, lamp.look().green);
  for (int step = 0; step < 2000; ++step) CHECK(!lamp.advance());
}

TEST(lamp_refuses_unknown_effects, "An effect this version does not know leaves the light as it is") {
  Lamp lamp;
  lamp.show(wish(kFade, 1, 2, 3, 255, 0));
  const Levels before = lamp.levels();
  CHECK(!lamp.show(wish(4, 255, 255, 255, 255, 0)));
  CHECK(lamp.levels() == before);
}

TEST(lamp_resumes_softly, "After power-up the last colour comes from dark within a second") {
  Lamp lamp;
  lamp.resume({kFade, 255, 255, 255, 255});
  CHECK((lamp.levels() == Levels{{0, 0, 0}}));
  lamp.advance();
  CHECK(lamp.levels().channel[0] < 700);
  for (int step = 1; step < 100; ++step) lamp.advance();
  CHECK((lamp.levels() == Levels{{65535, 65535, 65535}}));
}

TEST(effects_stay_within_the_look, "No effect is ever brighter than the look asks, each moves, and brightness 0 ends it") {
  for (const uint8_t effect : {kCandle, kRainbow, kBreathe}) {
    Lamp lamp;
    lamp.seed(7);
    CHECK(lamp.show(wish(effect, 255, 147, 41, 100, 0)));
    EQUAL(effect, lamp.look().effect);
    uint16_t least = 65535, most = 0;
    for (int step = 0; step < 3000; ++step) {
      lamp.advance();
      for (const uint16_t level : lamp.levels().channel) CHECK(level <= lightOf(255, 100));
      if (step < 200) continue;
      least = std::min(least, lamp.levels().channel[0]);
      most = std::max(most, lamp.levels().channel[0]);
    }
    CHECK(most > least + least / 10);
    CHECK(lamp.show(wish(effect, 255, 147, 41, 0, 10)));
    for (int step = 0; step < 10; ++step) lamp.advance();
    for (int step = 0; step < 500; ++step, lamp.advance()) CHECK((lamp.levels() == Levels{{0, 0, 0}}));
  }
}

TEST(ring_finds_the_newest, "The ring gives back the last value stored, through every slot and every turn of its number") {
  FakeEeprom eeprom;
  for (int write = 0; write < 1000; ++write) {
    WearRing<FakeEeprom, Look> ring(eeprom, kRing, kEepromSize);
    Look look = {9, 9, 9, 9, 9};
    EQUAL(write != 0, ring.load(look));
    if (write) EQUAL((write - 1) & 0xFF, look.red);
    ring.save({0, uint8_t(write), 1, 2, uint8_t(write >> 8)});
  }
}

TEST(ring_wears_evenly, "A thousand stores touch no cell more than nine times, and nothing outside of the ring") {
  FakeEeprom eeprom;
  WearRing<FakeEeprom, Look> ring(eeprom, kRing, kEepromSize);
  Look look;
  ring.load(look);
  for (int write = 0; write < 1000; ++write) ring.save({0, uint8_t(write), 1, 2, uint8_t(write >> 8)});
  EQUAL(9, *std::max_element(eeprom.wear.begin(), eeprom.wear.end()));
  EQUAL(0, *std::max_element(eeprom.wear.begin(), eeprom.wear.begin() + kRing));
}

TEST(ring_skips_equal_values, "Storing what is stored already writes nothing") {
  FakeEeprom eeprom;
  WearRing<FakeEeprom, Look> ring(eeprom, kRing, kEepromSize);
  Look look;
  ring.load(look);
  ring.save({0, 1, 2, 3, 4});
  const std::vector<int> wear = eeprom.wear;
  ring.save({0, 1, 2, 3, 4});
  CHECK(wear == eeprom.wear);
}

TEST(ring_survives_a_torn_write, "When the supply fails at any byte of a store, the value before it or the new one is found") {
  for (int survived = 0; survived < 8; ++survived) {
    FakeEeprom eeprom;
    WearRing<FakeEeprom, Look> ring(eeprom, kRing, kEepromSize);
    Look look;
    ring.load(look);
    for (uint8_t write = 0; write < 130; ++write) ring.save({0, write, 0, 0, 0});
    eeprom.writes_left = survived;
    ring.save({0, 130, 0, 0, 0});
    eeprom.writes_left = -1;
    WearRing<FakeEeprom, Look> again(eeprom, kRing, kEepromSize);
    CHECK(again.load(look));
    CHECK(look.red == 129 || look.red == 130);
  }
}

TEST(ring_survives_any_content, "Whatever an EEPROM holds, the ring finds something whole or nothing, and then works") {
  Random random(3);
  for (int round = 0; round < 300; ++round) {
    FakeEeprom eeprom;
    for (uint8_t& cell : eeprom.cells) cell = round == 0 ? 0 : round == 1 ? 0xFF : random.next();
    WearRing<FakeEeprom, Look> ring(eeprom, kRing, kEepromSize);
    Look look;
    const bool found = ring.load(look);
    if (round < 2) CHECK(!found);
    ring.save({1, 2, 3, 4, 5});
    WearRing<FakeEeprom, Look> again(eeprom, kRing, kEepromSize);
    CHECK(again.load(look));
    EQUAL(5, look.brightness);
  }
}
