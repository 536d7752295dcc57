/* DS18B20 thermometers on a one-wire bus (data = PD4, supply = PC0).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Data sheet "DS18B20", Maxim: reset and presence, time slots, ROM and function commands, search. They live while PC0
 * is driven high; parasite power, alarms and copying to their EEPROM are not modelled.
 */
#include "ds18b20.h"

#include <math.h>
#include <string.h>

#include "mcu.h"

#define US 1000
#define RESET_LOW (400 * US) /* 480 by the sheet; a sensor is content with less */
#define PRESENCE_AFTER (30 * US)
#define PRESENCE_FOR (120 * US)
#define ZERO_FOR (30 * US)
#define ONE_AT_MOST (15 * US)
#define CONVERT_NS 750000000ull
#define POWER_ON_RAW 0x0550 /* 85 degC */
#define FAMILY 0x28

enum { IDLE, ROM_COMMAND, READ_ROM, MATCH, SEARCH, FUNCTION, WRITE_PAD, READ_PAD, CONVERT, SUPPLY };

static uint8_t check(const uint8_t *bytes, int count)
{
    uint8_t crc = 0;
    for (int i = 0; i < count * 8; i++) {
        bool mix = (crc ^ bytes[i / 8] >> i % 8) & 1;
        crc = crc >> 1 ^ (mix ? 0x8c : 0);
    }
    return crc;
}

static bool bit_of(const uint8_t *bytes, int at) { return bytes[at / 8] >> at % 8 & 1; }

static void set_raw(struct ds18b20 *s, int raw)
{
    s->scratchpad[0] = raw;
    s->scratchpad[1] = raw >> 8;
    s->scratchpad[8] = check(s->scratchpad, 8);
}

static void measured(struct ds18b20 *s, ns now)
{
    if (s->converted_at && now >= s->converted_at) {
        s->converted_at = 0;
        set_raw(s, lround(s->celsius * 16));
    }
}

/* What it puts into a read slot; -1 while it listens. */
static int offers(const struct ds18b20 *s, ns now)
{
    switch (s->state) {
    case READ_ROM: return bit_of(s->rom, s->bit);
    case SEARCH: return s->search == 2 ? -1 : bit_of(s->rom, s->bit) ^ s->search;
    case READ_PAD: return s->bit < 72 ? bit_of(s->scratchpad, s->bit) : 1;
    case CONVERT: return !s->converted_at || now >= s->converted_at;
    case SUPPLY: return 1;
    default: return -1;
    }
}

static void enter(struct ds18b20 *s, int state)
{
    s->state = state;
    s->bit = 0;
    s->search = 0;
}

static void rom_command(struct ds18b20 *s)
{
    switch (s->command) {
    case 0x33: enter(s, READ_ROM); break;
    case 0x55: enter(s, MATCH); break;
    case 0xf0: enter(s, SEARCH); break;
    case 0xcc: enter(s, FUNCTION); break;
    default: enter(s, IDLE);
    }
}

static void function_command(struct ds18b20 *s, ns now)
{
    switch (s->command) {
    case 0x44:
        s->converted_at = now + (CONVERT_NS >> (3 - (s->scratchpad[4] >> 5 & 3)));
        enter(s, CONVERT);
        break;
    case 0xbe: enter(s, READ_PAD); break;
    case 0x4e: enter(s, WRITE_PAD); break;
    case 0xb4: enter(s, SUPPLY); break;
    default: enter(s, IDLE);
    }
}

static void take_bit(struct ds18b20 *s, bool bit, ns now)
{
    switch (s->state) {
    case ROM_COMMAND:
    case FUNCTION:
        s->command = s->command >> 1 | bit << 7;
        if (++s->bit < 8)
            break;
        if (s->state == ROM_COMMAND)
            rom_command(s);
        else
            function_command(s, now);
        break;
    case MATCH:
    case SEARCH:
        if (bit != bit_of(s->rom, s->bit)) {
            enter(s, IDLE);
        } else if (++s->bit == 64) {
            enter(s, FUNCTION);
        } else {
            s->search = 0;
        }
        break;
    case WRITE_PAD: {
        uint8_t *byte = &s->scratchpad[2 + s->bit / 8], mask = 1 << s->bit % 8;
        *byte = (*byte & ~mask) | (bit ? mask : 0);
        s->scratchpad[8] = check(s->scratchpad, 8);
        if (++s->bit == 24)
            enter(s, IDLE);
    }
    }
}

static void slot_over(struct ds18b20 *s, ns low, ns now)
{
    if (offers(s, now) < 0) {
        take_bit(s, low <= ONE_AT_MOST, now);
    } else if (s->state == SEARCH) {
        s->search++;
    } else if (++s->bit == 64 && s->state == READ_ROM) {
        enter(s, FUNCTION);
    }
}

static bool lives(const struct node *node, const struct ds18b20 *s) { return node->wire.supplied && s->present; }

static avr_cycle_count_t move_line(avr_t *avr, avr_cycle_count_t when, void *param);

/* Drive the line as the sensors do at this moment, and come again at the next change. */
static void drive(struct node *node)
{
    ns now = mcu_now(node), next = NEVER;
    bool low = false;
    for (int i = 0; i < DS18B20S; i++) {
        const struct ds18b20 *s = &node->wire.sensor[i];
        if (now < s->pull_from) {
            next = s->pull_from < next ? s->pull_from : next;
        } else if (now < s->pull_until) {
            low = true;
            next = s->pull_until < next ? s->pull_until : next;
        }
    }
    pins_drive(node, 'D', 4, !low);
    if (next != NEVER)
        avr_cycle_timer_register(node->avr, mcu_cycle_at(node, next) - node->avr->cycle, move_line, &node->wire);
}

static avr_cycle_count_t move_line(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)avr, (void)when;
    for (int i = 0; i < node_count; i++)
        if (&nodes[i].wire == param)
            drive(&nodes[i]);
    return 0;
}

static void fell(struct node *node, ns now)
{
    for (int i = 0; i < DS18B20S; i++) {
        struct ds18b20 *s = &node->wire.sensor[i];
        measured(s, now);
        if (lives(node, s) && offers(s, now) == 0) {
            s->pull_from = now;
            s->pull_until = now + ZERO_FOR;
        }
    }
    node->wire.fell = now;
}

static void rose(struct node *node, ns now)
{
    ns low = now - node->wire.fell;
    for (int i = 0; i < DS18B20S; i++) {
        struct ds18b20 *s = &node->wire.sensor[i];
        if (!lives(node, s))
            continue;
        if (low < RESET_LOW) {
            slot_over(s, low, now);
        } else {
            enter(s, ROM_COMMAND);
            s->pull_from = now + PRESENCE_AFTER;
            s->pull_until = s->pull_from + PRESENCE_FOR;
        }
    }
}

static void supply(struct node *node, bool on)
{
    node->wire.supplied = on;
    for (int i = 0; on && i < DS18B20S; i++) {
        struct ds18b20 *s = &node->wire.sensor[i];
        memcpy(s->scratchpad, (uint8_t[]){0, 0, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10, 0}, sizeof s->scratchpad);
        set_raw(s, POWER_ON_RAW);
        s->converted_at = s->pull_from = s->pull_until = 0;
        enter(s, IDLE);
    }
}

static void line_changed(struct node *node)
{
    struct ds18b20_bus *wire = &node->wire;
    if (!wire->any)
        return;
    bool on = pins_output(node, 'C', 0) == 1, low = pins_output(node, 'D', 4) == 0;
    if (on != wire->supplied)
        supply(node, on);
    if (low == wire->low)
        return;
    wire->low = low;
    if (low)
        fell(node, mcu_now(node));
    else
        rose(node, mcu_now(node));
    drive(node);
}

void ds18b20_attach(struct node *node)
{
    pins_listen(node, line_changed);
}

void ds18b20_set(struct node *node, int index, bool present, double celsius)
{
    struct ds18b20 *s = &node->wire.sensor[index];
    uint8_t order = 0x40 | (index & 1) << 1 | index >> 1; /* so that a search finds them by index */
    uint8_t rom[8] = {FAMILY, order, node->number, 0x5e, 0xed, 0, 0, 0};
    rom[7] = check(rom, 7);
    memcpy(s->rom, rom, sizeof rom);
    s->present = present;
    s->celsius = celsius;
    if (!node->wire.any)
        pins_drive(node, 'D', 4, true);
    node->wire.any = true;
}

void ds18b20_reset(struct node *node)
{
    node->wire.low = false;
    if (node->wire.supplied)
        supply(node, false);
    for (int i = 0; i < DS18B20S; i++)
        node->wire.sensor[i].pull_until = 0;
    if (node->wire.any)
        pins_drive(node, 'D', 4, true);
}
