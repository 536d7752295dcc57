// Settings: their bounds, their two copies, and changes over the air.
#include <hearth/settings_store.h>

#include "check.h"
#include "fakes.h"

using namespace hearth;

static Settings some(uint8_t id) {
  Settings settings = factorySettings(id);
  settings.report = 77;
  return settings;
}

static Settings loaded(FakeEeprom& eeprom, uint8_t* found = nullptr) {
  SettingsStore<FakeEeprom> store(eeprom);
  Settings settings = factorySettings(9);
  const uint8_t bits = store.load(settings);
  if (found) *found = bits;
  return settings;
}

TEST(settings_check_is_the_contracts, "The block of node 7 with RF12's defaults and 300 s, 60 s has the check all sides agreed on") {
  Settings settings = factorySettings(7);
  EQUAL(25349, settings.check());
}

TEST(settings_come_back, "What is saved is loaded, and both copies are sound") {
  FakeEeprom eeprom;
  CHECK(SettingsStore<FakeEeprom>(eeprom).save(some(12)));
  uint8_t found;
  EQUAL(12, loaded(eeprom, &found).id);
  EQUAL(kCopyASound | kCopyBSound, found);
}

TEST(settings_default, "An empty EEPROM gives the defaults, says so, and is not written to") {
  FakeEeprom eeprom;
  uint8_t found;
  EQUAL(9, loaded(eeprom, &found).id);
  EQUAL(kDefaultsInUse, found);
  for (const int wear : eeprom.wear) EQUAL(0, wear);
}

TEST(settings_survive_one_bad_copy, "Any byte of either copy may be any other: the settings hold, the copy is told and mended") {
  for (const uint16_t copy : {kCopyA, kCopyB}) {
    for (uint16_t at = copy; at < copy + 12; ++at) {
      for (int change = 1; change < 256; ++change) {
        FakeEeprom eeprom;
        SettingsStore<FakeEeprom>(eeprom).save(some(12));
        eeprom.cells[at] ^= change;
        uint8_t found;
        EQUAL(77, loaded(eeprom, &found).report);
        EQUAL(copy == kCopyA ? kCopyBSound : kCopyASound, found);
        EQUAL(77, loaded(eeprom, &found).report);
        EQUAL(kCopyASound | kCopyBSound, found);
      }
    }
  }
}

TEST(settings_survive_a_torn_save, "When the supply fails at any byte of a save, the old settings or the new ones are loaded") {
  for (int cut = 0; cut < 48; ++cut) {
    FakeEeprom eeprom;
    SettingsStore<FakeEeprom> store(eeprom);
    store.save(some(12));
    eeprom.fails(cut / 2, cut & 1);
    store.save(some(13));
    eeprom.fails(-1, false);
    const uint8_t id = loaded(eeprom).id;
    CHECK(id == 12 || id == 13);
    uint8_t found;
    EQUAL(id, loaded(eeprom, &found).id);
    EQUAL(kCopyASound | kCopyBSound, found);
  }
}

TEST(settings_admit_a_dead_eeprom, "A save that does not read back is told, and copy B keeps the old settings") {
  FakeEeprom eeprom;
  SettingsStore<FakeEeprom> store(eeprom);
  store.save(some(12));
  const std::vector<uint8_t> before(eeprom.cells.begin() + kCopyB, eeprom.cells.begin() + kCopyB + 12);
  eeprom.writes_left = 2;
  CHECK(!store.save(some(13)));
  eeprom.writes_left = -1;
  CHECK(before == std::vector<uint8_t>(eeprom.cells.begin() + kCopyB, eeprom.cells.begin() + kCopyB + 12));
  EQUAL(12, loaded(eeprom).id);
}

TEST(settings_keep_their_bounds, "Each key takes its bounds and nothing beyond them, and an unknown key changes nothing") {
  const struct { uint8_t key; uint16_t low, high; } bounds[] = {
      {kIdKey, 1, 30}, {kGroupKey, 1, 212}, {kReportKey, 1, 65535}, {kHoldKey, 0, 65535}, {kOffsetKey, 96, 3903}};
  for (const auto& bound : bounds) {
    Settings settings = some(12);
    CHECK(change(settings, bound.key, bound.low));
    CHECK(change(settings, bound.key, bound.high));
    CHECK(plausible(settings));
    const uint16_t before = settings.check();
    if (bound.low) CHECK(!change(settings, bound.key, bound.low - 1));
    if (bound.high < 65535) CHECK(!change(settings, bound.key, bound.high + 1));
    EQUAL(before, settings.check());
  }
  Settings settings = some(12);
  for (uint16_t band = 0; band < 300; ++band) EQUAL(band == 4 || band == 8 || band == 9, change(settings, kBandKey, band));
  for (int key = 7; key < 256; ++key) CHECK(!change(settings, key, 1));
  CHECK(!change(settings, 0, 1));
}

TEST(staging_needs_the_right_check, "Staged changes come into force only with the check of the block they make") {
  Settings settings = some(12);
  Staging staging;
  CHECK(staging.stage(settings, kIdKey, 20, 0));
  CHECK(staging.stage(settings, kReportKey, 60, 1));
  CHECK(!staging.stage(settings, kIdKey, 31, 2));
  Settings wanted = some(20);
  wanted.report = 60;
  CHECK(!staging.commit(settings, wanted.check() ^ 1, 3));
  EQUAL(12, settings.id);
  CHECK(staging.commit(settings, wanted.check(), 4));
  EQUAL(20, settings.id);
  EQUAL(60, settings.report);
}

TEST(staging_forgets, "A change not committed within 60 s is forgotten, also when the seconds wrap round") {
  for (const uint16_t start : {0, 65500}) {
    Settings settings = some(12);
    Staging staging;
    staging.stage(settings, kIdKey, 20, start);
    CHECK(!staging.commit(settings, some(20).check(), start + 61));
    EQUAL(12, settings.id);
  }
}

TEST(flags_fall_back, "The gateway's flag byte without its inverse beside it is not believed") {
  FakeEeprom eeprom;
  SettingsStore<FakeEeprom> store(eeprom);
  EQUAL(8, store.flags(8));
  store.saveFlags(5);
  EQUAL(5, store.flags(8));
  eeprom.cells[kFlags] ^= 0x40;
  EQUAL(5, store.flags(8));
  eeprom.cells[kFlags + 2] ^= 0x40;
  EQUAL(8, store.flags(8));
}

TEST(flags_survive_a_torn_save, "When the supply fails at any byte, the cell erased or as it was, the old flags or the new ones are there") {
  for (const bool erased : {false, true}) {
    for (int survived = 0; survived < 5; ++survived) {
      FakeEeprom eeprom;
      SettingsStore<FakeEeprom> store(eeprom);
      store.saveFlags(4);
      store.saveFlags(12);
      eeprom.fails(survived, erased);
      store.saveFlags(5);
      eeprom.fails(-1, false);
      const uint8_t flags = store.flags(8);
      CHECK(flags == 12 || flags == 5);
      EQUAL(survived == 4, flags == 5);
    }
  }
}
