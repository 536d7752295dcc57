/* Commands on one node: its processor, what is on its pins, its serial line.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "command.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <simavr/avr_adc.h>

#include "mcu.h"
#include "say.h"
#include "script.h"

/* Bytes from pairs of hex digits. */
static int from_hex(const char *text, uint8_t *bytes, int most)
{
    int count = 0;
    for (; isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]) && count < most; text += 2)
        sscanf(text, "%2hhx", &bytes[count++]);
    return *text ? -1 : count;
}

bool do_make(struct call *c)
{
    struct node *node = &nodes[node_count];
    const struct radio_kind *kind = radio_named(c->count > 2 ? c->word[2] : "rfm12b");
    if (node_count == NODES)
        return call_fails(c, "there are as many nodes as there can be");
    if (node_named(c->word[0]) || strlen(c->word[0]) >= NAME_LENGTH)
        return call_fails(c, "a node needs a name of its own, of at most 15 letters");
    if (!kind && strcmp(c->word[2], "none"))
        return call_fails(c, "the radio is rfm12b, rfm69 or none");
    memset(node, 0, sizeof *node);
    strcpy(node->name, c->word[0]);
    node->number = node_count;
    node->radio.kind = kind;
    const char *wrong = mcu_make(node, c->word[1]);
    if (wrong) {
        say_error(c->line, "%s: %s", c->word[1], wrong);
        return false;
    }
    node->base_ns = house.now;
    node->base_cycle = node->avr->cycle;
    node->pwm.settled = node->pwm.since = house.now;
    node_count++;
    return true;
}

bool do_power(struct call *c)
{
    bool on = !strcmp(c->word[1], "on");
    if (!on && strcmp(c->word[1], "off"))
        return call_fails(c, "power is on or off");
    mcu_power(c->node, on);
    return true;
}

bool do_reset(struct call *c) { return mcu_reset(c->node), true; }
bool do_dip(struct call *c) { return mcu_brownout(c->node), true; }

bool do_brownout(struct call *c)
{
    double ms;
    if (!call_number(c, 1, 0, 1e6, &ms))
        return false;
    radio_brownout(c->node, c->count > 1 ? ms * MS : 10 * MS);
    return true;
}

bool do_upset(struct call *c)
{
    if (!c->node->radio.kind || !c->node->radio.powered)
        return call_fails(c, "its radio has no power");
    c->node->radio.kind->upset(c->node);
    radio_drive_line(c->node);
    return true;
}

bool do_hang(struct call *c)
{
    mcu_hang(c->node, !(c->count > 1 && !strcmp(c->word[1], "deaf")));
    return true;
}

bool do_pin(struct call *c)
{
    char *name = c->word[1];
    if (strlen(name) != 3 || name[0] != 'P' || name[1] < 'B' || name[1] > 'D' || name[2] < '0' || name[2] > '7')
        return call_fails(c, "a pin is named PB0 .. PD7");
    if (c->count > 2) {
        pins_drive(c->node, name[1], name[2] - '0', c->word[2][0] != '0');
        return true;
    }
    say_ok("%d", pins_output(c->node, name[1], name[2] - '0'));
    return false;
}

bool do_adc(struct call *c)
{
    double channel, mv;
    if (!call_number(c, 1, 0, 7, &channel) || !call_number(c, 2, 0, 5000, &mv))
        return false;
    avr_raise_irq(avr_io_getirq(c->node->avr, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_ADC0 + (int)channel), mv);
    return true;
}

bool do_supply(struct call *c)
{
    double mv;
    if (!call_number(c, 1, 1000, 5500, &mv))
        return false;
    c->node->avr->vcc = c->node->avr->avcc = c->node->avr->aref = mv;
    return true;
}

bool do_hyt131(struct call *c)
{
    double humidity = 0, celsius = 0;
    bool present = strcmp(c->word[1], "none");
    if (present && (!call_number(c, 1, 0, 100, &humidity) || !call_number(c, 2, -40, 125, &celsius)))
        return false;
    hyt131_set(c->node, present, humidity, celsius);
    return true;
}

bool do_ds18b20(struct call *c)
{
    double index, celsius = 0;
    bool present = strcmp(c->word[2], "none");
    if (!call_number(c, 1, 0, DS18B20S - 1, &index) || (present && !call_number(c, 2, -55, 125, &celsius)))
        return false;
    ds18b20_set(c->node, index, present, celsius);
    return true;
}

bool do_eeprom(struct call *c)
{
    double at = 0, length = EEPROM_BYTES;
    uint8_t bytes[EEPROM_BYTES];
    if (!call_number(c, 1, 0, EEPROM_BYTES - 1, &at))
        return false;
    if (c->count == 3 && !call_number(c, 2, 1, EEPROM_BYTES - at, &length))
        return false;
    if (c->count > 3) {
        int count = from_hex(c->word[3], bytes, EEPROM_BYTES - at);
        if (strcmp(c->word[2], "=") || count < 0)
            return call_fails(c, "a preset is `eeprom NODE ADDRESS = HEX`");
        memcpy(eeprom_cells(c->node) + (int)at, bytes, count);
        return true;
    }
    length = length > EEPROM_BYTES - at ? EEPROM_BYTES - at : length;
    char hex[2 * EEPROM_BYTES + 1] = "";
    for (int i = 0; i < length; i++)
        sprintf(hex + 2 * i, "%02x", eeprom_cells(c->node)[(int)at + i]);
    say_ok("%s", hex);
    return false;
}

bool do_wear(struct call *c)
{
    unsigned most = 0, all = 0;
    for (int i = 0; i < EEPROM_BYTES; i++) {
        all += c->node->eeprom.wear[i];
        most = c->node->eeprom.wear[i] > most ? c->node->eeprom.wear[i] : most;
    }
    say_ok("writes=%u most=%u", all, most);
    return false;
}

bool do_duty(struct call *c)
{
    say_ok("%.6f %.6f %.6f", pwm_mean(c->node, 0), pwm_mean(c->node, 1), pwm_mean(c->node, 2));
    pwm_begin(c->node);
    return false;
}

bool do_watch(struct call *c)
{
    double ms;
    if (!call_number(c, 1, 0, 1e6, &ms))
        return false;
    pwm_watch(c->node, ms * MS);
    return true;
}

bool do_plug(struct call *c)
{
    const char *wrong = uart_plug(c->node, c->word[1]);
    return wrong ? call_fails(c, wrong) : true;
}

bool do_unplug(struct call *c) { return uart_unplug(c->node), true; }

bool do_type(struct call *c)
{
    uint8_t bytes[1024];
    int count = from_hex(c->word[1], bytes, sizeof bytes);
    if (count < 0)
        return call_fails(c, "what is typed is given in hex");
    uart_type(c->node, bytes, count);
    return true;
}
