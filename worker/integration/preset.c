#include "integration/preset.h"

#define ORDER_SCHEMA                                                                               \
    "{\"type\":\"object\",\"additionalProperties\":false,"                                         \
    "\"required\":[\"order_number\",\"email\"],\"properties\":{"                                   \
    "\"order_number\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":40,"                      \
    "\"description\":\"As on the confirmation, such as 1001 or #1001\"},"                          \
    "\"email\":{\"type\":\"string\",\"format\":\"email\",\"maxLength\":254,"                       \
    "\"description\":\"The address that the order was made with; ask for it\"}}}"
#define TEXT_SCHEMA(name, words)                                                                   \
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"" name "\"],"             \
    "\"properties\":{\"" name "\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200,"         \
    "\"description\":\"" words "\"}}}"
#define ID_SCHEMA(name, words)                                                                     \
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"" name "\"],"             \
    "\"properties\":{\"" name "\":{\"type\":\"integer\",\"minimum\":1,"                            \
    "\"description\":\"" words "\"}}}"

#define ORDER_DESCRIPTION                                                                          \
    "Looks up one order of the customer: its status, payment, shipment and items. Needs the "      \
    "order's number and the email address that it was made with; nothing is found unless both "    \
    "belong together."

const struct preset presets[] = {
    {INTEGRATION_SHOPIFY, "find_order",
     "/orders.json?status=any&limit=50&fields=name,email,created_at,cancelled_at,closed_at,"
     "currency,total_price,financial_status,fulfillment_status,fulfillments,line_items"
     "&name={order_number}&email={email}",
     ORDER_DESCRIPTION, ORDER_SCHEMA,
     "{\"list\":\"orders\",\"match\":[{\"field\":\"name\",\"argument\":\"order_number\"},"
     "{\"field\":\"email\",\"argument\":\"email\"}],\"cache_seconds\":60}"},
    {INTEGRATION_SHOPIFY, "search_products",
     "/products.json?status=active&limit=20&fields=id,title,handle,product_type,vendor,tags,"
     "variants,body_html&title={title}",
     "Lists products of the shop by their exact title, with prices, variants and stock.",
     TEXT_SCHEMA("title", "The product's title"), "{\"list\":\"products\"}"},
    {INTEGRATION_SHOPIFY, "get_product",
     "/products/{product_id}.json?fields=id,title,handle,product_type,vendor,tags,variants,"
     "body_html",
     "One product of the shop with its prices, variants and stock.",
     ID_SCHEMA("product_id", "The product's id, from a list of products"), "{}"},
    {INTEGRATION_SHOPIFY, "check_inventory",
     "/inventory_levels.json?limit=50&inventory_item_ids={inventory_item_id}",
     "How many of one variant of a product are in stock at each location.",
     ID_SCHEMA("inventory_item_id", "inventory_item_id of a product's variant"),
     "{\"list\":\"inventory_levels\"}"},

    {INTEGRATION_WOOCOMMERCE, "find_order",
     "/orders?per_page=50&_fields=id,number,status,date_created,date_completed,currency,total,"
     "billing.email,line_items.name,line_items.quantity,line_items.total,"
     "shipping_lines.method_title&search={email}",
     ORDER_DESCRIPTION,
     /* the number is matched here: the shop's search knows only addresses and names */
     ORDER_SCHEMA,
     "{\"list\":\"\",\"match\":[{\"field\":\"number\",\"argument\":\"order_number\"},"
     "{\"field\":\"billing.email\",\"argument\":\"email\"}],\"cache_seconds\":60}"},
    {INTEGRATION_WOOCOMMERCE, "search_products",
     "/products?status=publish&per_page=10&_fields=id,name,sku,price,regular_price,sale_price,"
     "stock_status,stock_quantity,permalink,short_description&search={query}",
     "Searches the shop's products by words, with prices and stock.",
     TEXT_SCHEMA("query", "Words of the product's name or description"), "{\"list\":\"\"}"},
    {INTEGRATION_WOOCOMMERCE, "get_product",
     "/products/{product_id}?_fields=id,name,sku,price,regular_price,sale_price,stock_status,"
     "stock_quantity,permalink,short_description,attributes",
     "One product of the shop with its price and stock.",
     ID_SCHEMA("product_id", "The product's id, from a list of products"), "{}"},
    {INTEGRATION_WOOCOMMERCE, "check_stock",
     "/products?per_page=5&_fields=id,name,sku,stock_status,stock_quantity,manage_stock&sku={sku}",
     "Whether an article is in stock, by its SKU.", TEXT_SCHEMA("sku", "The article's SKU"),
     "{\"list\":\"\"}"},
};
const size_t preset_count = sizeof(presets) / sizeof(presets[0]);
