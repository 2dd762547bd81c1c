/*
 * A map that deals with its pipes in the way that its parameter names (raw extParams, one line). Written without the library: these are
 * the ways of programs that know nothing of chunks.
 *
 *   one     answers each record before it reads the next
 *   all     reads everything before it writes anything
 *   much    writes a hundred times what it reads
 *   little  reads everything and writes nothing but empty lists
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *record;
static size_t room;

static void fail(const char *what)
{
    fprintf(stderr, "**<ERR> %s\n", what);
    exit(1);
}

static size_t size_of(const char *at)
{
    const unsigned char *c = (const unsigned char *)at;
    return (size_t)c[0] | (size_t)c[1] << 8 | (size_t)c[2] << 16 | (size_t)c[3] << 24;
}

static void make_room(size_t bytes)
{
    if (bytes <= room)
        return;
    room = 2 * bytes;
    record = realloc(record, room);
    if (record == NULL)
        fail("no memory");
}

/* Reads a record, with its sizes, to `at` in the buffer. Returns its length; 0 at the end. */
static size_t read_record(size_t at)
{
    size_t key, value;
    make_room(at + 4);
    if (fread(record + at, 1, 4, stdin) == 0)
        return 0;
    key = size_of(record + at);
    make_room(at + 8 + key);
    if (fread(record + at + 4, 1, key + 4, stdin) != key + 4)
        fail("half a record");
    value = size_of(record + at + 4 + key);
    make_room(at + 8 + key + value);
    if (fread(record + at + 8 + key, 1, value, stdin) != value)
        fail("half a record");
    return 8 + key + value;
}

static void write_list(const char *pair, size_t length, unsigned count)
{
    unsigned i;
    char number[4] = {0};
    number[0] = (char)count;
    if (fwrite(number, 1, 4, stdout) != 4)
        fail("cannot write");
    for (i = 0; i < count; i++)
        if (fwrite(pair, 1, length, stdout) != length)
            fail("cannot write");
}

int main(void)
{
    char way[32];
    size_t length, end = 0, at;
    if (fgets(way, sizeof way, stdin) == NULL)
        fail("no parameters");
    way[strcspn(way, "\n")] = 0;
    if (strcmp(way, "all") == 0) {
        while ((length = read_record(end)) > 0)
            end += length;
        for (at = 0; at < end; at += length) {
            length = 8 + size_of(record + at);
            length += size_of(record + at + length - 4);
            write_list(record + at, length, 1);
        }
        return 0;
    }
    while ((length = read_record(0)) > 0) {
        if (strcmp(way, "one") == 0) {
            write_list(record, length, 1);
            fflush(stdout);
        } else {
            write_list(record, length, strcmp(way, "much") == 0 ? 100 : 0);
        }
    }
    return 0;
}
