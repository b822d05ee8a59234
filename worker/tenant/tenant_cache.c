#include "tenant/tenant.h"

static void unref(void *tenant)
{
    tenant_unref(tenant);
}

struct org_cache *tenant_cache_new(void)
{
    return org_cache_new(unref);
}

struct tenant *tenant_cache_get(struct org_cache *tenants, const char *org)
{
    struct tenant *tenant = org_cache_get(tenants, org);
    return tenant != NULL ? tenant_ref(tenant) : NULL;
}

void tenant_cache_put(struct org_cache *tenants, struct tenant *tenant)
{
    org_cache_put(tenants, tenant->org, tenant_ref(tenant), tenant->loaded_ms);
}
