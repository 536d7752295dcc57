/* What every radio model offers to SPI, to the ether and to the node's run loop.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef RADIO_H
#define RADIO_H

#include <stdbool.h>
#include <stdint.h>

#include "rfm12b.h"
#include "rfm69.h"

struct node;

/* Air of one byte, as a receiver gets it: `bits` of `value`, the first is the most significant one. */
struct heard {
    uint64_t start_ns, end_ns;
    uint64_t bit_ns;
    uint8_t value;
    uint8_t bits;
};

struct radio_kind {
    const char *name;
    /* Power came (back): registers as the data sheet says. */
    void (*power_on)(struct node *node);
    /* Power went, or registers were lost without a sign when `silently`. */
    void (*power_off)(struct node *node);
    /* The registers fell to their defaults, and the chip does not say so. */
    void (*upset)(struct node *node);
    /* The select line moved. */
    void (*select)(struct node *node, bool selected);
    /* One byte over SPI, both ways. */
    uint8_t (*transfer)(struct node *node, uint8_t byte);
    /* When it does something of its own accord; NEVER if not. */
    uint64_t (*next)(const struct node *node);
    /* Do what is due. */
    void (*advance)(struct node *node, uint64_t now);
    /* Level of the line to INT0. */
    bool (*interrupt_line)(const struct node *node);
    /* Whether the receiver is on; tuned_khz and bit_ns say to what. */
    bool (*listens)(const struct node *node);
    uint32_t (*khz)(const struct node *node);
    uint64_t (*bit_ns)(const struct node *node);
    /* Part of a transmission has reached the aerial. */
    void (*hear)(struct node *node, const struct heard *heard);
};

struct radio {
    const struct radio_kind *kind; /* NULL: no radio on this node */
    bool powered;
    uint64_t power_at; /* brown-out: when power returns; 0 if it is not away */
    union {
        struct rfm12b rfm12b;
        struct rfm69 rfm69;
    };
};

extern const struct radio_kind rfm12b_kind, rfm69_kind;

/* The kind of that name, or NULL. */
const struct radio_kind *radio_named(const char *name);
/* Power on, off, and a dip of the radio's supply alone. */
void radio_power(struct node *node, bool on);
void radio_brownout(struct node *node, uint64_t away_ns);
/* When the radio or its supply next does something. */
uint64_t radio_next(const struct node *node);
/* Do what is due, take what the ether brings, and drive the interrupt line. */
void radio_advance(struct node *node, uint64_t now);
/* Drive the interrupt line as the registers say now. */
void radio_drive_line(struct node *node);

#endif
