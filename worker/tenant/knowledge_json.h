/* Knowledge_json: articles as the API and the command show them. */
#ifndef FD_TENANT_KNOWLEDGE_JSON_H
#define FD_TENANT_KNOWLEDGE_JSON_H

#include "tenant/knowledge.h"

/* slug, title, language, format, source, sections, bytes, created_at, updated_at of a row of
 * knowledge_list(), into the open object. */
void knowledge_write_row(struct fd_json_writer *w, const PGresult *articles, int row);
/* An object with the same of knowledge_find()'s row, body and sections [{id, label, body,
 * updated_at}]. */
void knowledge_write_article(struct fd_json_writer *w, const PGresult *article,
                             const PGresult *sections);
/* {slug, title, language, format, status, sections, added, updated, removed} of what was
 * stored; status is created, updated or unchanged. */
void knowledge_write_report(struct fd_json_writer *w, const struct knowledge_report *report);
const char *knowledge_status(const struct knowledge_change *change);

#endif
