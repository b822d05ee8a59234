#include "core/letters.h"

#include "core/utf8.h"
#include "core/words.h"

#include <string.h>
#include <strings.h>

/* The first of a script is the one it is taken for. */
static const struct {
    const char *language;
    enum letters_script script;
} languages[] = {
    {"he", LETTERS_HEBREW},     {"yi", LETTERS_HEBREW},     {"iw", LETTERS_HEBREW},
    {"ar", LETTERS_ARABIC},     {"fa", LETTERS_ARABIC},     {"ur", LETTERS_ARABIC},
    {"ru", LETTERS_CYRILLIC},   {"uk", LETTERS_CYRILLIC},   {"be", LETTERS_CYRILLIC},
    {"bg", LETTERS_CYRILLIC},   {"mk", LETTERS_CYRILLIC},   {"kk", LETTERS_CYRILLIC},
    {"el", LETTERS_GREEK},      {"zh", LETTERS_HAN},        {"ja", LETTERS_KANA},
    {"ko", LETTERS_HANGUL},     {"th", LETTERS_THAI},       {"hi", LETTERS_DEVANAGARI},
    {"mr", LETTERS_DEVANAGARI}, {"ne", LETTERS_DEVANAGARI}, {"hy", LETTERS_ARMENIAN},
    {"ka", LETTERS_GEORGIAN},
};

/* Written in other letters than Latin ones, none of them counted here; Serbian is written
 * in two. */
static const char *const unknown[] = {"am", "as", "bn", "bo", "dv", "gu", "km", "kn",
                                      "ku", "lo", "ml", "mn", "my", "or", "pa", "ps",
                                      "sd", "si", "sr", "ta", "te", "ti", "ug"};

enum letters_script letters_script_of(uint32_t code)
{
    static const struct {
        uint32_t first, last;
        enum letters_script script;
    } blocks[] = {
        {'A', 'Z', LETTERS_LATIN},          {'a', 'z', LETTERS_LATIN},
        {0xC0, 0x24F, LETTERS_LATIN},       {0x370, 0x3FF, LETTERS_GREEK},
        {0x400, 0x52F, LETTERS_CYRILLIC},   {0x531, 0x587, LETTERS_ARMENIAN},
        {0x5D0, 0x5F2, LETTERS_HEBREW},     {0x620, 0x64A, LETTERS_ARABIC},
        {0x66E, 0x6D3, LETTERS_ARABIC},     {0x750, 0x77F, LETTERS_ARABIC},
        {0x900, 0x97F, LETTERS_DEVANAGARI}, {0xE01, 0xE4E, LETTERS_THAI},
        {0x10A0, 0x10FF, LETTERS_GEORGIAN}, {0x1100, 0x11FF, LETTERS_HANGUL},
        {0x1E00, 0x1EFF, LETTERS_LATIN},    {0x1F00, 0x1FFF, LETTERS_GREEK},
        {0x3041, 0x30FF, LETTERS_KANA},     {0x3400, 0x4DBF, LETTERS_HAN},
        {0x4E00, 0x9FFF, LETTERS_HAN},      {0xAC00, 0xD7A3, LETTERS_HANGUL},
        {0xF900, 0xFAFF, LETTERS_HAN},      {0xFB1D, 0xFB4F, LETTERS_HEBREW},
        {0xFB50, 0xFDFF, LETTERS_ARABIC},   {0xFE70, 0xFEFC, LETTERS_ARABIC},
        {0xFF66, 0xFF9D, LETTERS_KANA},     {0x20000, 0x323AF, LETTERS_HAN},
    };

    for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
        if (code >= blocks[i].first && code <= blocks[i].last)
            return blocks[i].script;
    }
    return LETTERS_NONE;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void count_word(const char *word, const char *end, struct letters *letters)
{
    if (words_are_address(word, (size_t)(end - word)))
        return;
    while (word < end) {
        enum letters_script script = letters_script_of(utf8_next(&word, end));
        if (script != LETTERS_NONE)
            letters->of[script]++;
    }
}

void letters_count(const char *text, size_t len, struct letters *letters)
{
    const char *at = text, *end = text + len;

    *letters = (struct letters){.most = LETTERS_HEBREW};
    while (at < end) {
        const char *word = at;
        while (at < end && !is_blank(*at))
            at++;
        count_word(word, at, letters);
        at += at < end;
    }
    /* Japanese is written in both; kana beside Han decides for it. */
    if (letters->of[LETTERS_KANA] > 0)
        letters->of[LETTERS_KANA] += letters->of[LETTERS_HAN];
    for (enum letters_script script = LETTERS_HEBREW; script < LETTERS_SCRIPTS; script++) {
        if (letters->of[script] > letters->of[letters->most])
            letters->most = script;
    }
}

static bool is_language(const char *tag, const char *language)
{
    return strcspn(tag, "-_") == 2 && strncasecmp(tag, language, 2) == 0;
}

enum letters_script letters_of_language(const char *language)
{
    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
        if (is_language(language, languages[i].language))
            return languages[i].script;
    }
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        if (is_language(language, unknown[i]))
            return LETTERS_NONE;
    }
    return LETTERS_LATIN;
}

const char *letters_language(enum letters_script script)
{
    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
        if (languages[i].script == script)
            return languages[i].language;
    }
    return NULL;
}
