/* The UART at its real speed, joined to a pseudo-terminal and to events.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * simavr 1.6 counts 11 bits to a byte, hands a byte out the moment it is written, and takes 64 in. Here a byte has 10
 * bits (8N1), arrives when its stop bit has, and a sketch that leaves three unread loses the fourth. Knows no protocol.
 */
#define _GNU_SOURCE
#include "uart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <simavr/avr_uart.h>

#include "mcu.h"
#include "say.h"

#define UCSRA 0xc0
#define U2X 0x02
#define UBRRL 0xc4
#define UBRRH 0xc5
#define BITS 10
#define UNREAD 3 /* two buffered and one in the shift register */
#define GAP_NS 4000 /* between bytes from the host, so that a handler sees one at a time */

static bool is_empty(const struct uart_queue *queue) { return queue->in == queue->out; }
static unsigned room(const struct uart_queue *queue) { return UART_QUEUE - (queue->in - queue->out); }
static void put(struct uart_queue *queue, uint8_t byte) { queue->byte[queue->in++ % UART_QUEUE] = byte; }
static uint8_t get(struct uart_queue *queue) { return queue->byte[queue->out++ % UART_QUEUE]; }

/* Puts simavr's own count right in passing. */
static ns byte_ns(struct node *node)
{
    const uint8_t *data = node->avr->data;
    unsigned divider = (data[UBRRL] | (data[UBRRH] & 15) << 8) + 1;
    unsigned cycles = divider * (data[UCSRA] & U2X ? 8 : 16) * BITS;
    node->uart.unit->cycles_per_byte = cycles;
    return ((ns)cycles << node->clock_shift) * 125 / 2;
}

static void node_sent(avr_irq_t *irq, uint32_t value, void *param)
{
    struct node *node = param;
    struct uart *uart = &node->uart;
    (void)irq;
    ns length = byte_ns(node);
    if (is_empty(&uart->to_host)) {
        uart->out_at = mcu_now(node) + length;
        mcu_look_again(node);
    }
    if (room(&uart->to_host))
        put(&uart->to_host, value);
}

void uart_attach(struct node *node)
{
    uint32_t quiet = 0;
    node->uart.unit = mcu_unit(node, "uart");
    node->uart.master = node->uart.slave = -1;
    avr_ioctl(node->avr, AVR_IOCTL_UART_SET_FLAGS('0'), &quiet);
    avr_irq_register_notify(avr_io_getirq(node->avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), node_sent, node);
}

void uart_reset(struct node *node)
{
    node->uart.to_host.out = node->uart.to_host.in;
    node->uart.line_length = 0;
}

const char *uart_plug(struct node *node, const char *link)
{
    struct uart *uart = &node->uart;
    struct termios raw;
    uart_unplug(node);
    uart->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (uart->master < 0 || grantpt(uart->master) || unlockpt(uart->master))
        return strerror(errno);
    uart->slave = open(ptsname(uart->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (uart->slave < 0 || tcgetattr(uart->slave, &raw))
        return strerror(errno);
    cfmakeraw(&raw);
    tcsetattr(uart->slave, TCSANOW, &raw);
    snprintf(uart->link, sizeof uart->link, "%s", link);
    unlink(link);
    return symlink(ptsname(uart->master), link) ? strerror(errno) : NULL;
}

void uart_unplug(struct node *node)
{
    struct uart *uart = &node->uart;
    if (uart->link[0])
        unlink(uart->link); // before the number of the pty is free for another's
    if (uart->master >= 0)
        close(uart->master);
    if (uart->slave >= 0)
        close(uart->slave);
    uart->master = uart->slave = -1;
    uart->link[0] = 0;
}

void uart_type(struct node *node, const uint8_t *bytes, int count)
{
    struct uart *uart = &node->uart;
    if (is_empty(&uart->to_node)) {
        ns now = mcu_now(node);
        uart->feed_at = uart->feed_at > now ? uart->feed_at : now;
    }
    for (int i = 0; i < count && room(&uart->to_node); i++)
        put(&uart->to_node, bytes[i]);
}

void uart_poll(struct node *node)
{
    uint8_t bytes[256];
    if (node->uart.master < 0 || room(&node->uart.to_node) < sizeof bytes)
        return;
    ssize_t count = read(node->uart.master, bytes, sizeof bytes);
    if (count > 0)
        uart_type(node, bytes, count);
}

ns uart_next(const struct node *node)
{
    const struct uart *uart = &node->uart;
    ns in = is_empty(&uart->to_node) ? NEVER : uart->feed_at;
    ns out = is_empty(&uart->to_host) ? NEVER : uart->out_at;
    return in < out ? in : out;
}

/* Bytes in simavr's own queue, whose helpers its headers keep to themselves. */
static unsigned unread(const avr_uart_t *unit) { return (uint8_t)(unit->input.write - unit->input.read) % 64; }

static void feed(struct node *node)
{
    struct uart *uart = &node->uart;
    uint8_t byte = get(&uart->to_node);
    ns length = byte_ns(node);
    uart->feed_at += length + GAP_NS;
    if (!node->powered)
        return;
    if (unread(uart->unit) >= UNREAD)
        say_event(mcu_now(node), "overrun", node, "byte=%02x", byte);
    else
        avr_raise_irq(avr_io_getirq(node->avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT), byte);
}

static void tell_line(struct node *node, ns now)
{
    struct uart *uart = &node->uart;
    char text[4 * UART_LINE + 1];
    int used = 0;
    for (int i = 0; i < uart->line_length; i++) {
        uint8_t c = uart->line[i];
        used += sprintf(text + used, c < ' ' || c > '~' || c == '\\' ? "\\x%02x" : "%c", c);
    }
    if (used)
        say_event(now, "uart", node, "%s", text);
    uart->line_length = 0;
}

static void deliver(struct node *node, ns now)
{
    struct uart *uart = &node->uart;
    uint8_t byte = get(&uart->to_host);
    uart->out_at += byte_ns(node);
    if (uart->master >= 0 && write(uart->master, &byte, 1) < 0 && errno != EAGAIN)
        uart_unplug(node);
    if (byte == '\n' || uart->line_length == UART_LINE)
        tell_line(node, now);
    else if (byte != '\r')
        uart->line[uart->line_length++] = byte;
}

void uart_advance(struct node *node, ns now)
{
    struct uart *uart = &node->uart;
    while (!is_empty(&uart->to_node) && uart->feed_at <= now)
        feed(node);
    while (!is_empty(&uart->to_host) && uart->out_at <= now)
        deliver(node, uart->out_at);
}
