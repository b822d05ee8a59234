/*
 * Conversation export: conversations with all that was said in them, made part by part, so
 * that any number of them takes the memory of one part. CSV for spreadsheets, led by a BOM:
 * a line a conversation, or of a single conversation a line a message. JSON and JSON lines
 * with the messages inside.
 */
#ifndef FD_TENANT_CONVERSATION_EXPORT_H
#define FD_TENANT_CONVERSATION_EXPORT_H

#include "core/buf.h"
#include "tenant/conversation.h"

/* A part and what is added to it at a time: 200 messages of at most 64 KB. */
#define CONVERSATION_PART_MAX 16777216

enum conversation_format { CONVERSATION_CSV, CONVERSATION_JSON, CONVERSATION_JSONL };

struct conversation_export;

/* "csv", "json", "jsonl"; false: none of them. */
bool conversation_format_named(const char *name, enum conversation_format *format);
const char *conversation_content_type(enum conversation_format format);
const char *conversation_extension(enum conversation_format format);

/* What they are given is copied. */
struct conversation_export *conversation_export_many(const char *org,
                                                     const struct conversation_filter *filter,
                                                     enum conversation_format format);
/* Of one that was found: row as of conversation_find(), whose owner the export becomes. */
struct conversation_export *conversation_export_one(const char *org, PGresult *row,
                                                    enum conversation_format format);
/* Appends the next part; *more false: it was the last. After a failure, only free(). */
enum db_status conversation_export_next(struct conversation_export *x, struct db *db,
                                        struct buf *out, bool *more);
/* How many conversations it has had so far. */
int64_t conversation_export_count(const struct conversation_export *x);
void conversation_export_free(struct conversation_export *x);

#endif
