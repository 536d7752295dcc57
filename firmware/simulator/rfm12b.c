/* The RFM12B as its driver sees it over SPI and on nIRQ; what it does on the air is rfm12b_air.c's.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * After HopeRF's data sheet "RFM12B Universal ISM Band FSK Transceiver" (programming guide included). Not modelled:
 * AFC, the data filter, low-duty-cycle mode, the clock output, analogue RSSI. Knows nothing of packets.
 */
#include "ether.h"
#include "mcu.h"
#include "rfm12b_air.h"

/* Bits of the power management word 82xx */
#define RECEIVE 0x80
#define TRANSMIT 0x20
#define SYNTHESISER 0x10
#define CRYSTAL 0x08
#define BATTERY 0x04
#define WAKE_TIMER 0x02
/* Status word */
#define S_READY 0x8000
#define S_POR 0x4000
#define S_ERROR 0x2000
#define S_WAKEUP 0x1000
#define S_BATTERY 0x0400
#define S_EMPTY 0x0200
#define S_RSSI 0x0100
#define S_DQD 0x0080
#define S_LOCK 0x0040

#define SYNTHESISER_NS 250000 /* to lock, with the crystal running */
#define CRYSTAL_NS 2000000 /* to start, typical */
#define RSSI_NS 500000 /* response of the digital RSSI */

static bool sends(const struct rfm12b *r) { return r->power & TRANSMIT; }
bool rfm12b_hears(const struct rfm12b *r)
{
    return (r->power & (RECEIVE | TRANSMIT)) == RECEIVE;
}

uint64_t rfm12b_bit_ns(const struct node *node)
{
    uint16_t rate = node->radio.rfm12b.rate;
    return 2900ull * (1 + (rate & 0x7f)) * (rate & 0x80 ? 8 : 1); /* 10 MHz / 29 / (R + 1) / (1 + cs * 7) */
}

static uint32_t khz(const struct node *node)
{
    static const struct { uint32_t base, step_hz; } bands[] = {
        {310000, 1250}, {430000, 2500}, {860000, 5000}, {900000, 7500}};
    const struct rfm12b *r = &node->radio.rfm12b;
    unsigned band = r->config >> 4 & 3;
    return bands[band].base + (r->frequency & 0xfff) * bands[band].step_hz / 1000;
}

static bool listens(const struct node *node) { return rfm12b_hears(&node->radio.rfm12b); }

static void empty(struct rfm12b *r)
{
    r->synced = false;
    r->pattern = 0;
    r->fifo_bits = 0;
}

static unsigned fifo_level(const struct rfm12b *r)
{
    unsigned level = r->fifo_mode >> 4 & 15;
    return level ? level : 16;
}

static bool ready(const struct rfm12b *r)
{
    if (sends(r))
        return r->sending && !r->held;
    return rfm12b_hears(r) && (r->fifo_mode & FILL) && r->fifo_bits >= (int)fifo_level(r);
}

static bool interrupt_line(const struct node *node)
{
    const struct rfm12b *r = &node->radio.rfm12b;
    return !(ready(r) || r->por || r->error || r->wakeup);
}

static int rssi_threshold(const struct rfm12b *r)
{
    static const int gain[] = {0, 6, 14, 20};
    return -103 + 6 * (r->receiver & 7) + gain[r->receiver >> 3 & 3];
}

static uint16_t status(const struct node *node, uint64_t now)
{
    const struct rfm12b *r = &node->radio.rfm12b;
    uint16_t s = (ready(r) ? S_READY : 0) | (r->por ? S_POR : 0) | (r->error ? S_ERROR : 0)
        | (r->wakeup ? S_WAKEUP : 0);
    if ((r->power & BATTERY) && node->avr->vcc < 2250 + 100u * (r->low_battery & 15))
        s |= S_BATTERY;
    if (!r->fifo_bits)
        s |= S_EMPTY;
    if (rfm12b_hears(r) && now >= r->receive_at + RSSI_NS && ether_level(node, now - RSSI_NS) >= rssi_threshold(r))
        s |= S_RSSI | S_DQD | S_LOCK;
    return s;
}

static bool needs_crystal(uint16_t power) { return power & (RECEIVE | TRANSMIT | SYNTHESISER | CRYSTAL); }

static void set_power(struct node *node, uint16_t word, uint64_t now)
{
    struct rfm12b *r = &node->radio.rfm12b;
    uint16_t rose = word & ~r->power, fell = r->power & ~word;
    if (needs_crystal(word) && !needs_crystal(r->power))
        r->crystal_at = now + CRYSTAL_NS;
    r->power = word;
    uint64_t locked = (r->crystal_at > now ? r->crystal_at : now) + SYNTHESISER_NS;
    if (rose & TRANSMIT) {
        r->switched_on = now;
        r->boundary = locked;
        r->sending = false;
        r->held = true;
        r->hold = PRELOAD;
    }
    if (fell & TRANSMIT) {
        if (r->sending)
            ether_end(node, now);
        r->sending = false;
        r->boundary = NEVER;
        if (word & RECEIVE)
            rose |= RECEIVE;
    }
    if ((rose | fell) & RECEIVE) {
        empty(r);
        r->receive_at = locked;
    }
    if (rose & WAKE_TIMER) /* 1.03 ms * M * 2^R + 0.5 ms */
        r->wake_at = now + 500000 + (1030000ull * (r->wake & 0xff) << (r->wake >> 8 & 31));
    if (fell & WAKE_TIMER)
        r->wake_at = NEVER;
}

static void defaults(struct node *node)
{
    node->radio.rfm12b = (struct rfm12b){
        .config = 0x8008, .power = 0x8208, .frequency = 0xa680, .rate = 0xc623, .receiver = 0x9080, .fifo_mode = 0xca80,
        .sync = 0xced4, .wake = 0xe196, .low_battery = 0xc000, .boundary = NEVER, .wake_at = NEVER,
    };
}

static void power_off(struct node *node)
{
    if (node->radio.rfm12b.sending)
        ether_end(node, mcu_now(node));
    defaults(node);
}

static void power_on(struct node *node)
{
    defaults(node);
    node->radio.rfm12b.por = true;
}

static void execute(struct node *node, uint16_t word, uint64_t now)
{
    struct rfm12b *r = &node->radio.rfm12b;
    switch (word >> 8) {
    case 0x80: r->config = word; break;
    case 0x82: set_power(node, word, now); break;
    case 0x90 ... 0x97: r->receiver = word; break;
    case 0xa0 ... 0xaf: r->frequency = word; break;
    case 0xb8:
        r->hold = word;
        r->held = true;
        break;
    case 0xc0: case 0xc1: r->low_battery = word; break;
    case 0xc6: r->rate = word; break;
    case 0xca:
        if (!(word & FILL) || !(r->fifo_mode & FILL))
            empty(r);
        r->fifo_mode = word;
        break;
    case 0xce: r->sync = word; break;
    case 0xfe:
        if (word == 0xfe00) {
            power_off(node);
            power_on(node);
        }
        break;
    default:
        if (word >= 0xe000)
            r->wake = word & 0x1fff;
    }
}

static void select_chip(struct node *node, bool selected)
{
    (void)selected;
    node->radio.rfm12b.spi_bytes = 0;
}

static uint8_t first_byte(struct node *node, uint8_t byte)
{
    struct rfm12b *r = &node->radio.rfm12b;
    r->command = byte << 8;
    r->reply = byte & 0x80 ? (ready(r) ? 0x8000 : 0) : status(node, mcu_now(node));
    if (byte == 0xb0 && r->fifo_bits > 0) {
        int take = r->fifo_bits < 8 ? r->fifo_bits : 8;
        uint8_t value = (r->fifo >> (r->fifo_bits - take)) << (8 - take);
        r->fifo_bits -= take;
        r->reply |= value;
    }
    return r->reply >> 8;
}

static uint8_t transfer(struct node *node, uint8_t byte)
{
    struct rfm12b *r = &node->radio.rfm12b;
    switch (r->spi_bytes++) {
    case 0:
        return first_byte(node, byte);
    case 1:
        r->command |= byte;
        if (r->command & 0x8000) {
            execute(node, r->command, mcu_now(node));
        } else {
            r->por = r->por && !(r->reply & S_POR);
            r->error = r->error && !(r->reply & S_ERROR);
            r->wakeup = r->wakeup && !(r->reply & S_WAKEUP);
        }
        return r->reply;
    default:
        return 0;
    }
}

const struct radio_kind rfm12b_kind = {
    .name = "rfm12b", .power_on = power_on, .power_off = power_off, .upset = defaults, .select = select_chip,
    .transfer = transfer, .next = rfm12b_next, .advance = rfm12b_advance, .interrupt_line = interrupt_line,
    .listens = listens, .khz = khz, .bit_ns = rfm12b_bit_ns, .hear = rfm12b_hear,
};
