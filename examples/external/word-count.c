/*
 * A word count as an external program, map and reduce in one: cc -O2 -I ext -o word-count examples/external/word-count.c ext/disco.c
 *
 * Map: the words of a line, each with "1". Reduce: of sorted pairs, each word with the sum.
 */
#include "disco.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next letter in lower case, or 0 for anything else. Two characters beyond ASCII have an ASCII letter as lower case. */
static char letter(const char **at, const char *end)
{
    const unsigned char *c = (const unsigned char *)*at;
    size_t left = (size_t)(end - *at);
    if (*c >= 'A' && *c <= 'Z') {
        (*at)++;
        return (char)(*c - 'A' + 'a');
    }
    if (*c >= 'a' && *c <= 'z') {
        (*at)++;
        return (char)*c;
    }
    if (left >= 3 && memcmp(c, "\xe2\x84\xaa", 3) == 0) { /* the Kelvin sign */
        *at += 3;
        return 'k';
    }
    return 0;
}

static char *word;
static size_t room;

static void keep(size_t size, char c)
{
    if (size == room) {
        room = room > 0 ? 2 * room : 64;
        word = realloc(word, room);
        if (word == NULL)
            disco_fatal("no memory for a word of %lu letters", (unsigned long)room);
    }
    word[size] = c;
}

static void map(void)
{
    struct disco_item key, line;
    while (disco_next(&key, &line)) {
        const char *at = line.data;
        const char *end = at + line.size;
        size_t size = 0;
        while (at < end) {
            char c = letter(&at, end);
            if (c != 0) {
                keep(size++, c);
                continue;
            }
            /* I with a dot becomes i and a dot: a letter, and the end of the word. */
            if (end - at >= 2 && memcmp(at, "\xc4\xb0", 2) == 0)
                keep(size++, 'i');
            if (size >= 2)
                disco_emit(word, size, "1", 1);
            size = 0;
            at++;
        }
        if (size >= 2)
            disco_emit(word, size, "1", 1);
    }
}

static void emit_sum(size_t size, unsigned long sum)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%lu", sum);
    disco_emit(word, size, text, (size_t)length);
}

static void reduce(void)
{
    struct disco_item key, count;
    unsigned long sum = 0;
    size_t size = 0, i;
    while (disco_next(&key, &count)) {
        if (sum > 0 && (key.size != size || memcmp(key.data, word, size) != 0)) {
            emit_sum(size, sum);
            sum = 0;
        }
        if (sum == 0)
            for (size = key.size, i = 0; i < size; i++)
                keep(i, key.data[i]);
        sum += strtoul(count.data, NULL, 10);
    }
    if (sum > 0)
        emit_sum(size, sum);
}

int main(int argc, char **argv)
{
    enum disco_kind kind = disco_kind(argc, argv);
    disco_start(kind);
    if (kind == DISCO_MAP)
        map();
    else
        reduce();
    return disco_finish();
}
