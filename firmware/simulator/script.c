/* The commands on stdin, each a row of one table.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What they do is in on_node.c and on_house.c. Knows no time and no registers.
 */
#define _GNU_SOURCE
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "say.h"

bool call_fails(const struct call *call, const char *text)
{
    say_error(call->line, "%s", text);
    return false;
}

bool call_number(const struct call *call, int at, double low, double high, double *value)
{
    char *end;
    *value = at < call->count ? strtod(call->word[at], &end) : 0;
    if (at < call->count && (end == call->word[at] || *end || !(*value >= low && *value <= high))) {
        say_error(call->line, "`%s` is not a number from %g to %g", call->word[at], low, high);
        return false;
    }
    return true;
}

static bool help(struct call *c);

/* A command returns true for a plain `ok`, false when it has answered by itself. */
static const struct command {
    const char *name;
    int least, most; /* words after it */
    bool on_node; /* the first of them is a node */
    bool (*act)(struct call *call);
    const char *usage;
} commands[] = {
    {"node", 2, 3, false, do_make, "NAME ELF [rfm12b|rfm69|none]"},
    {"power", 2, 2, true, do_power, "NODE on|off"},
    {"reset", 1, 1, true, do_reset, "NODE"},
    {"dip", 1, 1, true, do_dip, "NODE"},
    {"brownout", 1, 2, true, do_brownout, "NODE [MS]"},
    {"upset", 1, 1, true, do_upset, "NODE"},
    {"hang", 1, 2, true, do_hang, "NODE [deaf]"},
    {"pin", 2, 3, true, do_pin, "NODE PIN [0|1]"},
    {"adc", 3, 3, true, do_adc, "NODE CHANNEL MILLIVOLT"},
    {"supply", 2, 2, true, do_supply, "NODE MILLIVOLT"},
    {"hyt131", 2, 3, true, do_hyt131, "NODE PERCENT CELSIUS | NODE none"},
    {"ds18b20", 3, 3, true, do_ds18b20, "NODE INDEX CELSIUS|none"},
    {"eeprom", 1, 4, true, do_eeprom, "NODE [ADDRESS [COUNT]] | NODE ADDRESS = HEX"},
    {"wear", 1, 1, true, do_wear, "NODE"},
    {"duty", 1, 1, true, do_duty, "NODE"},
    {"watch", 2, 2, true, do_watch, "NODE MS"},
    {"plug", 2, 2, true, do_plug, "NODE PATH"},
    {"unplug", 1, 1, true, do_unplug, "NODE"},
    {"type", 2, 2, true, do_type, "NODE HEX"},
    {"link", 3, 3, true, do_link_nodes, "NODE NODE DBM|off"},
    {"loss", 1, 1, false, do_loss, "PERCENT"},
    {"corrupt", 1, 1, false, do_corrupt, "PERCENT"},
    {"drop", 1, 1, false, do_drop, "PACKETS"},
    {"seed", 1, 1, false, do_seed, "NUMBER"},
    {"run", 1, 1, false, do_run, "MS"},
    {"until", 2, 3, false, do_until, "MS EVENT [NODE]"},
    {"go", 0, 0, false, do_go, ""},
    {"time", 0, 0, false, do_tell_time, ""},
    {"speed", 0, 0, false, do_speed, ""},
    {"help", 0, 0, false, help, ""},
};

static bool help(struct call *c)
{
    (void)c;
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++)
        printf("help %s %s\n", commands[i].name, commands[i].usage);
    return true;
}

static void perform(const struct command *command, struct call *call)
{
    if (call->count < command->least || call->count > command->most) {
        say_error(call->line, "usage: %s %s", command->name, command->usage);
        return;
    }
    call->node = command->on_node ? node_named(call->word[0]) : NULL;
    if (command->on_node && !call->node) {
        say_error(call->line, "there is no node `%s`", call->word[0]);
        return;
    }
    if (command->act(call))
        say_ok("%s", "");
}

bool script_line(char *line, int number_of_line)
{
    struct call call = {.line = number_of_line};
    char *name = strtok(line, " \t\r");
    for (char *word; call.count < WORDS && (word = strtok(NULL, " \t\r"));)
        call.word[call.count++] = word;
    if (!name || *name == '#')
        return true;
    if (!strcmp(name, "quit"))
        return false;
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(commands[i].name, name)) {
            perform(&commands[i], &call);
            return true;
        }
    say_error(number_of_line, "there is no command `%s`; `help` lists them", name);
    return true;
}
