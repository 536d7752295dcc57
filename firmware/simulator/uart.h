/* The UART at its real speed, joined to a pseudo-terminal and to events.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

#define UART_QUEUE 8192 /* a power of two */
#define UART_LINE 400
#define UART_PATH 200

struct avr_uart_t;
struct node;

struct uart_queue {
    unsigned in, out;
    uint8_t byte[UART_QUEUE];
};

struct uart {
    struct avr_uart_t *unit;
    bool used; /* the sketch has set a baud rate */
    int master, slave; /* of the pseudo-terminal; -1 if there is none */
    char link[UART_PATH]; /* name it is reached by */
    struct uart_queue to_node, to_host;
    uint64_t feed_at; /* when the next byte may start towards the node */
    uint64_t out_at; /* when the byte on its way to the host has ended */
    int line_length;
    char line[UART_LINE];
};

void uart_attach(struct node *node);
void uart_reset(struct node *node);
/* Open a pseudo-terminal and make `link` point to it; NULL, or what was wrong. */
const char *uart_plug(struct node *node, const char *link);
void uart_unplug(struct node *node);
/* Bytes from the host that will reach the node one by one. */
void uart_type(struct node *node, const uint8_t *bytes, int count);
/* When the next byte starts or ends. */
uint64_t uart_next(const struct node *node);
void uart_advance(struct node *node, uint64_t now);
/* Take what the host has written to the pseudo-terminal. */
void uart_poll(struct node *node);

#endif
