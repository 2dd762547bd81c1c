/*
 * Disco's external interface in C99 and POSIX. See disco.h and docs/external.md; MIT licence.
 *
 * Input and output have a buffer each, and one rule makes them fast and safe: output is written when there is much of it, and before
 * every read that may have to wait. So there is no system call a record, and nobody ever waits for what lies in our buffer.
 */
#define _POSIX_C_SOURCE 200809L

#include "disco.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_BYTES ((size_t)256 * 1024)
#define OUTPUT_BYTES ((size_t)64 * 1024)
#define ITEM_BYTES_MAX ((size_t)1024 * 1024 * 1024)
#define PAIRS_MAX 1000000u
#define MESSAGE_BYTES 4096

struct param {
    char *name;
    struct disco_item value;
};

static enum disco_kind the_kind = DISCO_MAP;

/* Input: bytes that were read, of which `input_at` is the next. Grows when a record is larger. */
static char *input;
static size_t input_size, input_at, input_end;
static char saved;
static char *saved_at;

/* Output: whole lists, then the one that is being made, whose number of pairs is written when it is complete. */
static char *output;
static size_t output_size, output_end, list_at;
static uint32_t list_pairs;
static int list_open, has_entry;

static struct param *params;
static size_t param_count;

static void say(const char *form, const char *format, va_list args)
{
    char text[MESSAGE_BYTES];
    char *at;
    vsnprintf(text, sizeof text, format, args);
    for (at = text; *at != 0; at++)
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    fprintf(stderr, "%s %s\n", form, text);
    fflush(stderr);
}

void disco_message(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("**<MSG>", format, args);
    va_end(args);
}

void disco_fatal(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("**<ERR>", format, args);
    va_end(args);
    _exit(1);
}

void disco_data_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("**<DAT>", format, args);
    va_end(args);
    _exit(1);
}

static void *resized(void *memory, size_t bytes)
{
    void *more = realloc(memory, bytes > 0 ? bytes : 1);
    if (more == NULL)
        disco_fatal("no memory for %lu bytes", (unsigned long)bytes);
    return more;
}

/* The lists that are complete; what is being made stays. */
static void flush(void)
{
    size_t whole = list_open ? list_at : output_end;
    size_t at = 0;
    while (at < whole) {
        ssize_t written = write(STDOUT_FILENO, output + at, whole - at);
        if (written >= 0)
            at += (size_t)written;
        else if (errno != EINTR)
            disco_fatal("cannot write results: %s", strerror(errno));
    }
    if (whole == 0)
        return;
    memmove(output, output + whole, output_end - whole);
    output_end -= whole;
    list_at = 0;
}

static void reserve_output(size_t bytes)
{
    size_t size = output_size > 0 ? output_size : OUTPUT_BYTES;
    if (output_size - output_end >= bytes)
        return;
    if (bytes > SIZE_MAX / 2 - output_end)
        disco_fatal("no memory for the results of one entry");
    while (size - output_end < bytes)
        size *= 2;
    output = resized(output, size);
    output_size = size;
}

static void put_number(char *at, size_t number)
{
    at[0] = (char)(number & 0xff);
    at[1] = (char)(number >> 8 & 0xff);
    at[2] = (char)(number >> 16 & 0xff);
    at[3] = (char)(number >> 24 & 0xff);
}

static size_t number_at(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;
    return (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
}

static void open_list(void)
{
    if (list_open)
        return;
    reserve_output(4);
    list_at = output_end;
    output_end += 4;
    list_pairs = 0;
    list_open = 1;
}

static void close_list(void)
{
    if (!list_open)
        return;
    put_number(output + list_at, list_pairs);
    list_open = 0;
    if (output_end >= OUTPUT_BYTES)
        flush();
}

/* Gets at least `bytes` into the input buffer, from `input_at` on. Returns how many there are: fewer only at the end of the input. */
static size_t fill(size_t bytes)
{
    if (input_end - input_at >= bytes)
        return input_end - input_at;
    if (input_at > 0) {
        memmove(input, input + input_at, input_end - input_at);
        input_end -= input_at;
        input_at = 0;
    }
    /* One more, for the zero behind an item. */
    if (input_size < bytes + 1) {
        input_size = bytes + 1 > INPUT_BYTES ? bytes + 1 : INPUT_BYTES;
        input = resized(input, input_size);
    }
    while (input_end < bytes) {
        ssize_t got;
        flush();
        got = read(STDIN_FILENO, input + input_end, input_size - 1 - input_end);
        if (got > 0)
            input_end += (size_t)got;
        else if (got == 0)
            break;
        else if (errno != EINTR)
            disco_fatal("cannot read: %s", strerror(errno));
    }
    return input_end;
}

/* A decimal number and the character behind it. */
static size_t read_decimal(char end)
{
    size_t number = 0;
    int digits = 0;
    for (;;) {
        char c;
        if (fill(1) < 1)
            disco_fatal("the input ends in the middle of the parameters");
        c = input[input_at++];
        if (c == end && digits > 0)
            return number;
        if (c < '0' || c > '9' || ++digits > 10)
            disco_fatal("the parameters are no dictionary");
        number = number * 10 + (size_t)(c - '0');
    }
}

static char *read_copy(size_t size)
{
    char *copy;
    if (size > ITEM_BYTES_MAX || fill(size) < size)
        disco_fatal("the input ends in the middle of the parameters");
    copy = resized(NULL, size + 1);
    memcpy(copy, input + input_at, size);
    copy[size] = 0;
    input_at += size;
    return copy;
}

static void expect(char wanted)
{
    if (fill(1) < 1 || input[input_at++] != wanted)
        disco_fatal("the parameters are no dictionary");
}

static size_t decimal_size(size_t number)
{
    size_t size = 1;
    while (number >= 10) {
        number /= 10;
        size++;
    }
    return size;
}

enum disco_kind disco_kind(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "map") == 0)
        return DISCO_MAP;
    if (argc > 1 && strcmp(argv[1], "reduce") == 0)
        return DISCO_REDUCE;
    disco_fatal("the first argument is neither map nor reduce");
}

void disco_start(enum disco_kind kind)
{
    size_t size, taken = 0;
    the_kind = kind;
    size = read_decimal('\n');
    while (taken < size) {
        struct param *param;
        size_t name_size, value_size;
        params = resized(params, (param_count + 1) * sizeof *params);
        param = &params[param_count++];
        name_size = read_decimal(' ');
        param->name = read_copy(name_size);
        expect(' ');
        value_size = read_decimal(' ');
        param->value.data = read_copy(value_size);
        param->value.size = value_size;
        expect('\n');
        taken += decimal_size(name_size) + decimal_size(value_size) + name_size + value_size + 4;
    }
    if (taken > size)
        disco_fatal("the parameters are no dictionary");
}

const char *disco_start_raw(enum disco_kind kind, size_t size)
{
    the_kind = kind;
    return read_copy(size);
}

const struct disco_item *disco_param(const char *name)
{
    size_t i;
    for (i = 0; i < param_count; i++)
        if (strcmp(params[i].name, name) == 0)
            return &params[i].value;
    return NULL;
}

int disco_next(struct disco_item *key, struct disco_item *value)
{
    size_t key_size, value_size, whole;
    if (saved_at != NULL)
        *saved_at = saved;
    saved_at = NULL;
    if (the_kind == DISCO_MAP && has_entry) {
        open_list();
        close_list();
    }
    has_entry = 0;
    whole = fill(4);
    if (whole == 0)
        return 0;
    if (whole < 4)
        disco_fatal("the input ends in the middle of a record");
    key_size = number_at(input + input_at);
    if (key_size > ITEM_BYTES_MAX || fill(8 + key_size) < 8 + key_size)
        disco_fatal("the input ends in the middle of a record");
    value_size = number_at(input + input_at + 4 + key_size);
    whole = 8 + key_size + value_size;
    if (value_size > ITEM_BYTES_MAX || fill(whole) < whole)
        disco_fatal("the input ends in the middle of a record");
    key->data = input + input_at + 4;
    key->size = key_size;
    value->data = input + input_at + 8 + key_size;
    value->size = value_size;
    /* Their zeros: the value's size is read already; what follows the value is put back later. */
    input[input_at + 4 + key_size] = 0;
    saved_at = input + input_at + whole;
    saved = *saved_at;
    *saved_at = 0;
    input_at += whole;
    has_entry = 1;
    return 1;
}

void disco_emit(const void *key, size_t key_size, const void *value, size_t value_size)
{
    if (key_size > ITEM_BYTES_MAX || value_size > ITEM_BYTES_MAX)
        disco_fatal("a key or value of more than 1 GiB");
    if (the_kind == DISCO_MAP && !has_entry)
        disco_fatal("a map emits while it has an entry: between disco_next and the next one");
    if (list_open && list_pairs == PAIRS_MAX)
        disco_fatal("more than 1,000,000 pairs for one entry");
    open_list();
    reserve_output(8 + key_size + value_size);
    put_number(output + output_end, key_size);
    if (key_size > 0)
        memcpy(output + output_end + 4, key, key_size);
    put_number(output + output_end + 4 + key_size, value_size);
    if (value_size > 0)
        memcpy(output + output_end + 8 + key_size, value, value_size);
    output_end += 8 + key_size + value_size;
    list_pairs++;
    /* Lists of a reduce mean nothing: what is there can go. */
    if (the_kind == DISCO_REDUCE && (output_end >= OUTPUT_BYTES || list_pairs == PAIRS_MAX))
        close_list();
}

int disco_finish(void)
{
    if (has_entry)
        disco_fatal("disco_finish before the end of the input");
    close_list();
    flush();
    return 0;
}
