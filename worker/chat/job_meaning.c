/* RETRIEVING, by meaning: the question's vector is asked for before the records are
 * searched; without it, words alone find. */
#include "chat/job_states.h"

#include "chat/meaning.h"

static void on_vector(void *arg, struct meaning_vector *vector)
{
    struct job *job = arg;
    job->meaning = NULL;
    job->vector = vector;
    job_advance(job, &(struct job_event){.type = JOB_EV_VECTOR});
}

bool job_meaning_ask(struct job *job)
{
    if (job->asked_meaning)
        return job->meaning != NULL;
    job->asked_meaning = true;
    job->meaning =
        meaning_ask(job->engine->meaning, job->tenant, job->request.message.s, on_vector, job);
    return job->meaning != NULL;
}

size_t job_meaning_search(const struct job *job, struct db *db, struct arena *a,
                          struct ranked **found)
{
    size_t count = 0;
    *found = NULL;
    if (job->vector == NULL)
        return 0;
    enum db_status status = meaning_search(db, a, job->entry.org, job->vector, found, &count);
    if (status != DB_OK) /* words find all the same */
        log_warn(&job->log, "embedding.not_searched", LOG_STR("sqlstate", db_sqlstate(db)));
    return status == DB_OK ? count : 0;
}

void job_meaning_end(struct job *job)
{
    if (job->meaning != NULL)
        meaning_cancel(job->meaning);
    job->meaning = NULL;
    meaning_vector_free(job->vector);
    job->vector = NULL;
}
