/* Endpoints: the providers that a worker would use, found out at once: for commands and
 * pool threads. */
#ifndef FD_CHAT_ENDPOINTS_H
#define FD_CHAT_ENDPOINTS_H

#include "llm/endpoint.h"

/* As configured, and Ollama where it runs: it is asked, for 2 s at most. False: error
 * says which variable to set. */
bool endpoints_find(struct llm_endpoints *endpoints, const struct config *config, char error[256]);

#endif
