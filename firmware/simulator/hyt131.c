/* A HYT131 humidity and temperature sensor on bit-banged I2C (SDA = PD4, SCL = PC0).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Data sheet "HYT 131": address 0x28; a write starts a measurement of 60 ms; a read gives four bytes, two status bits
 * (command mode, stale), 14 bits of humidity (0..100 %), 14 bits of temperature (-40..125 degC) and two unused.
 */
#include "hyt131.h"

#include <string.h>

#include "mcu.h"

#define ADDRESS 0x28
#define MEASURE_NS 60000000
#define STALE 0x40

enum { IDLE, ADDRESSED, ACK_ADDRESS, WRITE, ACK_WRITE, READ, MASTER_ACK, STRANGER };

static void pull(struct node *node, bool low)
{
    node->hyt131.pulls = low;
    pins_drive(node, 'D', 4, !low);
}

static void put_bit(struct node *node)
{
    struct hyt131 *h = &node->hyt131;
    uint8_t byte = h->reply_at < 4 ? h->reply[h->reply_at] : 0xff;
    pull(node, !(byte >> (7 - h->bits) & 1));
}

static void prepare(struct node *node)
{
    struct hyt131 *h = &node->hyt131;
    if (!h->fresh || mcu_now(node) < h->ready_at) {
        h->reply[0] |= STALE;
        return;
    }
    unsigned humidity = h->humidity / 100 * 0x3fff + 0.5, celsius = (h->celsius + 40) / 165 * 0x3fff + 0.5;
    h->reply[0] = humidity >> 8;
    h->reply[1] = humidity;
    h->reply[2] = celsius >> 6;
    h->reply[3] = celsius << 2;
    h->fresh = false;
}

static void acked_address(struct node *node)
{
    struct hyt131 *h = &node->hyt131;
    h->bits = 0;
    pull(node, false);
    if (h->shift & 1) {
        prepare(node);
        h->state = READ;
        h->reply_at = 0;
        put_bit(node);
    } else {
        h->ready_at = mcu_now(node) + MEASURE_NS;
        h->fresh = true;
        h->state = WRITE;
    }
}

static void clock_fell(struct node *node)
{
    struct hyt131 *h = &node->hyt131;
    switch (h->state) {
    case ADDRESSED:
    case WRITE:
        if (h->bits < 8)
            break;
        if (h->state == ADDRESSED && (!h->present || h->shift >> 1 != ADDRESS)) {
            h->state = STRANGER;
        } else {
            h->state = h->state == ADDRESSED ? ACK_ADDRESS : ACK_WRITE;
            pull(node, true);
        }
        break;
    case ACK_ADDRESS:
        acked_address(node);
        break;
    case ACK_WRITE:
        pull(node, false);
        h->state = WRITE;
        h->bits = 0;
        break;
    case READ:
        if (h->bits < 8) {
            put_bit(node);
        } else {
            pull(node, false);
            h->state = MASTER_ACK;
            h->bits = 1;
        }
        break;
    case MASTER_ACK:
        h->state = h->bits ? STRANGER : READ;
        h->bits = 0;
        h->reply_at++;
        if (h->state == READ)
            put_bit(node);
    }
}

static void clock_rose(struct hyt131 *h, bool data)
{
    switch (h->state) {
    case ADDRESSED:
    case WRITE:
        h->shift = h->shift << 1 | data;
        h->bits++;
        break;
    case READ:
        h->bits++;
        break;
    case MASTER_ACK:
        h->bits = data; /* 0: acknowledged, more is wanted */
    }
}

static void lines_changed(struct node *node)
{
    struct hyt131 *h = &node->hyt131;
    if (node->wire.any)
        return;
    bool scl = pins_output(node, 'C', 0) != 0, sda = pins_output(node, 'D', 4) != 0 && !h->pulls;
    bool was_scl = h->scl, was_sda = h->sda;
    h->scl = scl;
    h->sda = sda;
    if (scl && was_scl && sda != was_sda) {
        h->state = sda ? IDLE : ADDRESSED;
        h->bits = 0;
        return;
    }
    if (scl && !was_scl)
        clock_rose(h, sda);
    if (!scl && was_scl)
        clock_fell(node);
    h->sda = pins_output(node, 'D', 4) != 0 && !h->pulls;
}

void hyt131_attach(struct node *node)
{
    node->hyt131.scl = node->hyt131.sda = true;
    pins_listen(node, lines_changed);
}

void hyt131_set(struct node *node, bool present, double humidity, double celsius)
{
    node->hyt131.present = present;
    node->hyt131.humidity = humidity;
    node->hyt131.celsius = celsius;
    pins_drive(node, 'D', 4, !node->hyt131.pulls); /* the plug has its pull-ups whether the sensor lives or not */
    pins_drive(node, 'C', 0, true);
}

void hyt131_reset(struct node *node)
{
    struct hyt131 *h = &node->hyt131;
    h->state = IDLE;
    h->scl = h->sda = true;
    if (h->pulls)
        pull(node, false);
}
