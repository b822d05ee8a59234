// node check.mjs DOCUMENT [ANSWERS]: is the document OpenAPI, and are the answers as it says?
// An answer is a line of JSON: {route: "GET /api/admin/keys", status, type, body}.
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const [file, answers] = process.argv.slice(2);
const document = parse(readFileSync(file, 'utf8'));
const faults = [];
const fault = (...words) => faults.push(words.join(' '));

const found = await new Validator().validate(structuredClone(document));
if (!found.valid) fault('the document:', JSON.stringify(found.errors).slice(0, 2000));

const ids = new Set();
for (const [path, operations] of Object.entries(document.paths)) {
  for (const [method, operation] of Object.entries(operations)) {
    if (ids.has(operation.operationId)) fault('twice:', operation.operationId);
    ids.add(operation.operationId);
    const named = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).join();
    const said = (operation.parameters ?? []).filter((p) => p.in === 'path').map((p) => p.name).join();
    if (named !== said) fault(method, path, 'has other parameters:', said);
  }
}

const ajv = new Ajv2020.default({ strict: false, allErrors: true });
addFormats.default(ajv);
const checks = new Map();
const checkOf = (schema) => checks.get(schema) ?? checks.set(schema, ajv.compile(schema)).get(schema);

let count = 0;
for (const line of answers ? readFileSync(answers, 'utf8').split('\n').filter(Boolean) : []) {
  const { route, status, type, body } = JSON.parse(line);
  const [method, path] = route.split(' ');
  const operation = document.paths[path]?.[method.toLowerCase()];
  const refused = status >= 400 ? document.components.responses.Problem : undefined;
  const response = operation?.responses[status] ?? refused;
  count++;
  if (!response) {
    fault(route, status, 'is not described');
    continue;
  }
  const content = response.content ?? {};
  if (status === 204 ? body !== '' : !(content[type] ?? content['*/*'])) fault(route, 'answers', type);
  const schema = content[type]?.schema;
  if (!schema || type !== 'application/json') continue;
  const check = checkOf(schema);
  if (!check(JSON.parse(body))) fault(route, ajv.errorsText(check.errors).slice(0, 600));
}
for (const text of faults) console.log(text);
console.log(`${ids.size} operations, ${count} answers, ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
