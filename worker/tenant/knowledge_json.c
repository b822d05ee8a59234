#include "tenant/knowledge_json.h"

#include <stdio.h>

#define SECTION_ID_MAX (ARTICLE_SLUG_MAX + 32)

static void write_members(struct fd_json_writer *w, const PGresult *articles, int row)
{
    fd_jw_member(w, "slug", db_text(articles, row, KNOWLEDGE_SLUG));
    fd_jw_member(w, "title", db_text(articles, row, KNOWLEDGE_TITLE));
    fd_jw_member(w, "language", db_text(articles, row, KNOWLEDGE_LANGUAGE));
    fd_jw_member(w, "format", db_text(articles, row, KNOWLEDGE_FORMAT));
    fd_jw_member(w, "source", db_text(articles, row, KNOWLEDGE_SOURCE));
    fd_jw_member_int(w, "bytes", db_int(articles, row, KNOWLEDGE_BYTES, 0));
    fd_jw_member(w, "created_at", db_text(articles, row, KNOWLEDGE_CREATED_AT));
    fd_jw_member(w, "updated_at", db_text(articles, row, KNOWLEDGE_UPDATED_AT));
}

void knowledge_write_row(struct fd_json_writer *w, const PGresult *articles, int row)
{
    write_members(w, articles, row);
    fd_jw_member_int(w, "sections", db_int(articles, row, KNOWLEDGE_SECTIONS, 0));
}

void knowledge_write_article(struct fd_json_writer *w, const PGresult *article,
                             const PGresult *sections)
{
    fd_jw_object(w);
    write_members(w, article, 0);
    fd_jw_member(w, "body", db_text(article, 0, KNOWLEDGE_BODY));
    fd_jw_key(w, "sections");
    fd_jw_array(w);
    for (int row = 0; row < PQntuples(sections); row++) {
        char id[SECTION_ID_MAX];
        snprintf(id, sizeof(id), "article:%s", db_text(sections, row, 0));
        fd_jw_object(w);
        fd_jw_member(w, "id", id);
        fd_jw_member(w, "label", db_text(sections, row, 1));
        fd_jw_member(w, "body", db_text(sections, row, 2));
        fd_jw_member(w, "updated_at", db_text(sections, row, 3));
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
    fd_jw_end_object(w);
}

const char *knowledge_status(const struct knowledge_change *change)
{
    return change->created ? "created" : change->changed ? "updated" : "unchanged";
}

void knowledge_write_report(struct fd_json_writer *w, const struct knowledge_report *report)
{
    fd_jw_object(w);
    fd_jw_member(w, "slug", report->slug);
    fd_jw_member(w, "title", report->title);
    fd_jw_member(w, "language", report->language);
    fd_jw_member(w, "format", import_format_name(report->format));
    fd_jw_member(w, "status", knowledge_status(&report->change));
    fd_jw_member_int(w, "sections", (int64_t)report->change.sections);
    fd_jw_member_int(w, "added", (int64_t)report->change.added);
    fd_jw_member_int(w, "updated", (int64_t)report->change.updated);
    fd_jw_member_int(w, "removed", (int64_t)report->change.removed);
    fd_jw_end_object(w);
}
