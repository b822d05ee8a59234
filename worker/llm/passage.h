/*
 * Passage: the sentences of a packed context (chunk.h: "[id] label" LF body), each
 * with the id to cite it by and the headings it stands under. Pure.
 */
#ifndef FD_LLM_PASSAGE_H
#define FD_LLM_PASSAGE_H

#include "core/arena.h"

#define PASSAGES_MAX 512

struct passage {
    const char *id;      /* "article:shipping"; NULL for text before the first header */
    const char *label;   /* of its snippet, "" if none */
    const char *heading; /* the nearest above it in the snippet, "" if none */
    const char *text;    /* one line */
    int snippet;         /* which of the context */
    int position;        /* which of the snippet */
};

/* The first PASSAGES_MAX, in the order of the context; returns how many. */
size_t passages_of(struct arena *a, const char *context, struct passage list[PASSAGES_MAX]);

#endif
