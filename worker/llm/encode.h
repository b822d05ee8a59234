/* Encode: a request as each protocol writes it. */
#ifndef FD_LLM_ENCODE_H
#define FD_LLM_ENCODE_H

#include "llm/provider.h"

/* llm_protocol.encode of each. */
bool openai_encode(const struct llm_request *request, const char *api_key, struct arena *a,
                   const char **path, const char *const **headers, struct buf *body);
bool anthropic_encode(const struct llm_request *request, const char *api_key, struct arena *a,
                      const char **path, const char *const **headers, struct buf *body);
bool ollama_encode(const struct llm_request *request, const char *api_key, struct arena *a,
                   const char **path, const char *const **headers, struct buf *body);

/* "Name: <prefix>value" in the arena; NULL when the value has a control character,
 * with which it could forge a header of its own. */
const char *encode_header(struct arena *a, const char *name, const char *prefix, const char *value);
/* Finished JSON, "{}" where there is none. */
void encode_json(struct fd_json_writer *w, const char *json);
/* OpenAI's list of tools, which Ollama took over; nothing where there are none. */
void encode_tools(struct fd_json_writer *w, const struct llm_request *request);
/* A member, but not for the value that stands for nothing said. */
void encode_number(struct fd_json_writer *w, const char *key, double value, double unsaid);
/* Where an answer ends, as a list; nothing where nothing was said. */
void encode_stop(struct fd_json_writer *w, const char *key, const struct llm_wishes *wishes);
bool encode_is_blank(const char *text);

#endif
