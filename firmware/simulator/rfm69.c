/* The RFM69 as its driver sees it over SPI and on DIO0; what it does on the air is rfm69_air.c's.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * After HopeRF's data sheet "RFM69CW": packet mode with fixed or unlimited length, as a driver that imitates RFM12B
 * frames uses it. Not modelled: continuous mode, listen mode, addresses, the chip's own CRC, whitening and AES.
 */
#include "ether.h"
#include "mcu.h"
#include "rfm69_air.h"

#include <string.h>

#define MODE_READY 0x80
#define RX_READY 0x40
#define TX_READY 0x20
#define PLL_LOCK 0x10
#define RSSI 0x08
#define SYNC_MATCH 0x01
#define FULL 0x80
#define NOT_EMPTY 0x40
#define LEVEL 0x20
#define OVERRUN 0x10
#define PACKET_SENT 0x08
#define PAYLOAD_READY 0x04
#define RESTART_RX 0x04
#define START_NOT_EMPTY 0x80
#define SYNC_ON 0x80

#define FLOOR_DBM (-110)
#define SWITCH_NS 120000 /* synthesiser and transmitter or receiver */
#define WAKE_NS 370000 /* the same, with the crystal to start */
#define RSSI_NS 40000 /* one sample of the RSSI at this bandwidth */

static int mode(const struct rfm69 *r) { return r->reg[OP_MODE] >> 2 & 7; }
static bool there(const struct rfm69 *r, ns now) { return now >= r->ready_at; }

int rfm69_sync_size(const struct rfm69 *r)
{
    return r->reg[SYNC_CONFIG] & SYNC_ON ? (r->reg[SYNC_CONFIG] >> 3 & 7) + 1 : 0;
}


bool rfm69_listens(const struct node *node)
{
    return mode(&node->radio.rfm69) == RECEIVE;
}

ns rfm69_bit_ns(const struct node *node)
{
    const uint8_t *reg = node->radio.rfm69.reg;
    return (reg[RATE_HIGH] << 8 | reg[RATE_LOW]) * 125ull / 4; /* in periods of 32 MHz */
}

static uint32_t khz(const struct node *node)
{
    const uint8_t *reg = node->radio.rfm69.reg;
    uint64_t steps = reg[FRF_HIGH] << 16 | reg[FRF_MIDDLE] << 8 | reg[FRF_LOW];
    return steps * 15625 / 256000; /* a step is 32 MHz / 2^19 */
}

static void defaults(struct node *node)
{
    static const struct { uint8_t at, value; } table[] = {
        {OP_MODE, 0x04}, {RATE_HIGH, 0x1a}, {RATE_LOW, 0x0b}, {0x06, 0x52}, {FRF_HIGH, 0xe4}, {FRF_MIDDLE, 0xc0},
        {VERSION, 0x24}, {RSSI_CONFIG, 0x02}, {RSSI_VALUE, 0xff}, {RSSI_THRESHOLD, 0xff}, {PREAMBLE_LOW, 0x03},
        {SYNC_CONFIG, 0x98}, {PACKET_CONFIG_1, 0x10}, {PAYLOAD_LENGTH, 0x40}, {FIFO_THRESHOLD, 0x0f},
        {PACKET_CONFIG_2, 0x02}};
    struct rfm69 *r = &node->radio.rfm69;
    memset(r, 0, sizeof *r);
    memset(r->reg + SYNC_VALUE, 1, 8);
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
        r->reg[table[i].at] = table[i].value;
    r->boundary = NEVER;
}

static void power_off(struct node *node)
{
    if (node->radio.rfm69.sending)
        ether_end(node, mcu_now(node));
    defaults(node);
}

static void forget(struct rfm69 *r)
{
    r->fifo_count = r->shift_bits = 0;
    r->synced = r->overrun = false;
    r->pattern = 0;
}

bool rfm69_payload_ready(const struct rfm69 *r)
{
    return mode(r) == RECEIVE && r->synced && r->reg[PAYLOAD_LENGTH] && r->fifo_count >= r->reg[PAYLOAD_LENGTH];
}

static int level(const struct node *node, ns now)
{
    int dbm = rfm69_listens(node) && now > RSSI_NS ? ether_level(node, now - RSSI_NS) : SILENCE;
    return dbm > FLOOR_DBM ? dbm : FLOOR_DBM;
}

static uint8_t flags_1(const struct node *node, ns now)
{
    const struct rfm69 *r = &node->radio.rfm69;
    if (!there(r, now))
        return 0;
    uint8_t flags = MODE_READY | (mode(r) >= SYNTHESISE ? PLL_LOCK : 0);
    if (mode(r) == TRANSMIT)
        flags |= TX_READY;
    if (mode(r) == RECEIVE)
        flags |= RX_READY | (r->synced ? SYNC_MATCH : 0) | (-2 * level(node, now) < r->reg[RSSI_THRESHOLD] ? RSSI : 0);
    return flags;
}

static uint8_t flags_2(const struct rfm69 *r)
{
    return (r->fifo_count == RFM69_FIFO ? FULL : 0) | (r->fifo_count ? NOT_EMPTY : 0)
        | (r->fifo_count > (r->reg[FIFO_THRESHOLD] & 0x7f) ? LEVEL : 0) | (r->overrun ? OVERRUN : 0)
        | (r->packet_sent ? PACKET_SENT : 0) | (rfm69_payload_ready(r) ? PAYLOAD_READY : 0);
}

static bool interrupt_line(const struct node *node)
{
    const struct rfm69 *r = &node->radio.rfm69;
    ns now = mcu_now(node);
    int mapping = r->reg[DIO_MAPPING] >> 6;
    if (mode(r) == RECEIVE) {
        static const uint8_t receive[] = {0, 0, SYNC_MATCH, RSSI};
        return mapping == 1 ? rfm69_payload_ready(r) : flags_1(node, now) & receive[mapping];
    }
    static const uint8_t transmit[] = {0, TX_READY, 0, PLL_LOCK};
    return mode(r) == TRANSMIT && (mapping == 0 ? r->packet_sent : flags_1(node, now) & transmit[mapping]);
}

/* Sending begins when the chip is in the mode and the FIFO holds enough. */
static void start_if_due(struct rfm69 *r, ns now)
{
    int enough = r->reg[FIFO_THRESHOLD] & START_NOT_EMPTY ? 0 : r->reg[FIFO_THRESHOLD] & 0x7f;
    if (mode(r) != TRANSMIT || r->boundary != NEVER || r->packet_sent || r->fifo_count <= enough)
        return;
    r->boundary = r->ready_at > now ? r->ready_at : now;
    r->preamble_left = r->reg[PREAMBLE_HIGH] << 8 | r->reg[PREAMBLE_LOW];
    r->sync_left = rfm69_sync_size(r);
}

static void set_mode(struct node *node, uint8_t value, ns now)
{
    struct rfm69 *r = &node->radio.rfm69;
    int old = mode(r);
    r->reg[OP_MODE] = value & ~0x20;
    if (mode(r) == old)
        return;
    r->ready_at = now + (old == SLEEP ? WAKE_NS : SWITCH_NS);
    if (r->sending)
        ether_end(node, now);
    r->sending = false;
    r->boundary = NEVER;
    r->packet_sent = false;
    if (mode(r) == TRANSMIT)
        r->switched_on = now;
    if (mode(r) == RECEIVE || old == RECEIVE)
        forget(r);
    start_if_due(r, now);
}

static void write_register(struct node *node, uint8_t at, uint8_t value, ns now)
{
    struct rfm69 *r = &node->radio.rfm69;
    switch (at) {
    case FIFO:
        if (r->fifo_count < RFM69_FIFO)
            r->fifo[r->fifo_count++] = value;
        start_if_due(r, now);
        break;
    case OP_MODE: set_mode(node, value, now); break;
    case IRQ_2:
        if (value & OVERRUN)
            forget(r);
        break;
    case PACKET_CONFIG_2:
        if (value & RESTART_RX)
            forget(r);
        r->reg[at] = value & ~RESTART_RX;
        break;
    case VERSION: case RSSI_VALUE: case IRQ_1: break;
    default: r->reg[at] = value;
    }
}

static uint8_t read_register(struct node *node, uint8_t at, ns now)
{
    struct rfm69 *r = &node->radio.rfm69;
    switch (at) {
    case FIFO: {
        uint8_t value = r->fifo[0];
        if (r->fifo_count)
            memmove(r->fifo, r->fifo + 1, --r->fifo_count);
        return value;
    }
    case RSSI_VALUE: return -2 * level(node, now);
    case IRQ_1: return flags_1(node, now);
    case IRQ_2: return flags_2(r);
    default: return r->reg[at];
    }
}

static void select_chip(struct node *node, bool selected)
{
    (void)selected;
    node->radio.rfm69.spi_bytes = 0;
}

static uint8_t transfer(struct node *node, uint8_t byte)
{
    struct rfm69 *r = &node->radio.rfm69;
    if (r->spi_bytes++ == 0) {
        r->address = byte & 0x7f;
        r->write = byte & 0x80;
        return 0;
    }
    ns now = mcu_now(node);
    uint8_t reply = read_register(node, r->write && r->address == FIFO ? VERSION : r->address, now);
    if (r->write)
        write_register(node, r->address, byte, now);
    if (r->address != FIFO)
        r->address = (r->address + 1) & 0x7f;
    return reply;
}

const struct radio_kind rfm69_kind = {
    .name = "rfm69", .power_on = defaults, .power_off = power_off, .upset = power_off, .select = select_chip,
    .transfer = transfer, .next = rfm69_next, .advance = rfm69_advance, .interrupt_line = interrupt_line,
    .listens = rfm69_listens, .khz = khz, .bit_ns = rfm69_bit_ns, .hear = rfm69_hear,
};
