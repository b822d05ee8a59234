// The official `openai` package, unchanged, against a whole private stack: whatever a program
// that was written for OpenAI does with it has to work here.  EDGE-11
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import OpenAI from 'openai';

const env = process.env;
const baseURL = `${env.FRONTDESK_URL}/v1`;
const client = new OpenAI({ baseURL, apiKey: env.FRONTDESK_SECRET_KEY, maxRetries: 0 });
const withKey = (apiKey, more = {}) => new OpenAI({ baseURL, apiKey, maxRetries: 0, ...more });

let count = 0;
/** A question that the scripted provider (t/lib/provider.pl) answers as `scenario` says. */
const user = (scenario = {}) => ({ role: 'user', content: `Question ${++count} @${JSON.stringify(scenario)}@` });
const weather = (name = 'weather') => ({
    type: 'function',
    function: { name, description: 'The weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
});

const journal = () => readFileSync(env.FRONTDESK_JOURNAL, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const requestsFor = (question) => journal().filter((e) => e.event === 'request' && e.question === question.content);
async function until(probe, ms = 5000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) {
        const value = probe();
        if (value) return value;
    }
    return undefined;
}
async function thrown(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    return assert.fail('nothing was thrown');
}

test('EDGE-11: an answer in one piece', async () => {
    const { data, response, request_id } = await client.chat.completions
        .create({ model: 'mock-fast', messages: [user({ text: 'Hello – שלום.' })] })
        .withResponse();
    assert.match(data.id, /^chatcmpl-[0-9a-f]{32}$/);
    assert.equal(data.object, 'chat.completion');
    assert.ok(Math.abs(data.created - Date.now() / 1000) < 120);
    assert.equal(data.model, 'mock-fast');
    assert.match(data.system_fingerprint, /^fp_[0-9a-f]{10}$/);
    assert.equal(data.choices.length, 1);
    assert.equal(data.choices[0].message.content, 'Hello – שלום.');
    assert.equal(data.choices[0].message.role, 'assistant');
    assert.equal(data.choices[0].finish_reason, 'stop');
    assert.equal(data.usage.prompt_tokens, 100);
    assert.equal(data.usage.prompt_tokens_details.cached_tokens, 40);
    assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
    assert.match(request_id, /^[0-9a-f]{32}$/);
    assert.equal(data._request_id, request_id);
    assert.equal(response.headers.get('x-ratelimit-limit-requests'), response.headers.get('x-ratelimit-limit'));
    assert.match(response.headers.get('x-ratelimit-remaining-requests'), /^\d+$/);
    assert.match(response.headers.get('x-ratelimit-reset-requests'), /^\d+s$/);
});

test('EDGE-11: a stream', async () => {
    const stream = await client.chat.completions.create({
        model: 'mock-fast', messages: [user({ tokens: 12, gap_ms: 15 })], stream: true,
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.ok(chunks.length >= 6, `${chunks.length} chunks`);
    assert.equal(chunks[0].choices[0].delta.role, 'assistant');
    assert.equal(chunks.map((c) => c.choices[0]?.delta.content ?? '').join(''),
        Array.from({ length: 12 }, (_, i) => `word${i + 1} `).join(''));
    assert.equal(new Set(chunks.map((c) => c.id)).size, 1);
    assert.deepEqual(chunks.map((c) => c.choices[0].finish_reason).filter(Boolean), ['stop']);
    assert.ok(chunks.every((c) => c.object === 'chat.completion.chunk' && !('usage' in c)));
});

test('EDGE-11: usage of a stream, where it is asked for', async () => {
    const stream = await client.chat.completions.create({
        model: 'mock-fast', messages: [user({ tokens: 3 })], stream: true, stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const last = chunks.pop();
    assert.deepEqual(last.choices, []);
    assert.equal(last.usage.completion_tokens, 3);
    assert.equal(last.usage.prompt_tokens_details.cached_tokens, 40);
    assert.ok(chunks.every((c) => c.usage === null));
});

test('EDGE-11: the stream helper', async () => {
    const seen = [];
    const runner = client.chat.completions
        .stream({ model: 'mock-fast', messages: [user({ tokens: 5, gap_ms: 10 })], stream_options: { include_usage: true } })
        .on('content', (delta) => seen.push(delta));
    const whole = await runner.finalChatCompletion();
    assert.equal(whole.choices[0].message.content, 'word1 word2 word3 word4 word5 ');
    assert.equal(seen.join(''), whole.choices[0].message.content);
    assert.equal(whole.choices[0].finish_reason, 'stop');
    assert.equal((await runner.totalUsage()).completion_tokens, 5);
});

test('EDGE-11: a call of a tool and its result', async () => {
    const question = user({ rounds: [
        { tools: [{ name: 'weather', arguments: { city: 'Haifa' } }, { name: 'wind', arguments: { city: 'Acre' } }] },
        { text: 'Warm and calm.' },
    ] });
    const messages = [{ role: 'developer', content: 'Be brief.' }, question];
    const tools = [weather(), weather('wind')];
    const first = await client.chat.completions.create({ model: 'mock-fast', messages, tools });
    const { message, finish_reason } = first.choices[0];
    assert.equal(finish_reason, 'tool_calls');
    assert.equal(message.content, null);
    assert.deepEqual(message.tool_calls.map((c) => [c.type, c.function.name, JSON.parse(c.function.arguments).city]),
        [['function', 'weather', 'Haifa'], ['function', 'wind', 'Acre']]);

    messages.push(message, ...message.tool_calls.map((c) => ({ role: 'tool', tool_call_id: c.id, content: `${c.function.name}: fine` })));
    const second = await client.chat.completions.create({ model: 'mock-fast', messages, tools });
    assert.equal(second.choices[0].message.content, 'Warm and calm.');

    const [, sent] = requestsFor(question);
    assert.deepEqual(sent.body.messages.map((m) => m.role), ['system', 'user', 'assistant', 'tool', 'tool'], 'no message of ours among them');
    assert.equal(sent.body.messages[0].content, 'Be brief.');
    assert.deepEqual(sent.body.messages[2].tool_calls, message.tool_calls);
    assert.equal(sent.body.messages[3].content, 'weather: fine');
    assert.deepEqual(sent.body.tools.map((t) => t.function.name), ['weather', 'wind'], 'no tool of ours among them');
});

test('EDGE-11: calls in a stream', async () => {
    const runner = client.chat.completions.stream({
        model: 'mock-fast', tools: [weather(), weather('wind')],
        messages: [user({ gap_ms: 5, tools: [{ name: 'weather', arguments: { city: 'Haifa, by the sea' } }, { name: 'wind', arguments: {} }] })],
    });
    const deltas = [];
    runner.on('tool_calls.function.arguments.delta', (e) => deltas.push(e.arguments_delta));
    const { choices: [choice] } = await runner.finalChatCompletion();
    assert.equal(choice.finish_reason, 'tool_calls');
    assert.deepEqual(choice.message.tool_calls.map((c) => [c.function.name, JSON.parse(c.function.arguments)]),
        [['weather', { city: 'Haifa, by the sea' }], ['wind', {}]]);
    assert.ok(deltas.length > 2, `arguments come in pieces (${deltas.length})`);
});

for (const stream of [false, true]) {
    test(`EDGE-11: runTools, ${stream ? 'streamed' : 'whole'}`, async () => {
        const asked = [];
        const runner = client.chat.completions.runTools({
            model: 'mock-fast', stream,
            messages: [user({ rounds: [
                { tools: [{ name: 'weather', arguments: { city: 'Haifa' } }] },
                { tools: [{ name: 'weather', arguments: { city: 'Acre' } }] },
                { text: 'Both are warm.' },
            ] })],
            tools: [{ type: 'function', function: {
                name: 'weather', description: 'The weather', parse: JSON.parse,
                parameters: { type: 'object', properties: { city: { type: 'string' } } },
                function: ({ city }) => { asked.push(city); return { city, sky: 'clear' }; },
            } }],
        });
        assert.equal(await runner.finalContent(), 'Both are warm.');
        assert.deepEqual(asked, ['Haifa', 'Acre']);
    });
}

test('EDGE-11: what was asked for reaches the provider', async () => {
    const question = user({ text: '{"a":1}' });
    question.content = [{ type: 'text', text: 'First. ' }, { type: 'text', text: question.content }];
    const format = { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'], additionalProperties: false } } };
    const tool = weather();
    tool.function.strict = true;
    const completion = await client.chat.completions.parse({
        model: 'mock-fast', messages: [question], temperature: 0.25, top_p: 0.5, frequency_penalty: 0.5, presence_penalty: -0.5,
        seed: 42, stop: ['END', 'STOP'], max_completion_tokens: 77, parallel_tool_calls: false, tools: [tool],
        tool_choice: { type: 'function', function: { name: 'weather' } }, response_format: format,
        user: 'u1', metadata: { a: 'b' }, store: false,
    });
    assert.equal(completion.choices[0].message.content, '{"a":1}');
    const sent = journal().findLast((e) => e.event === 'request').body;
    assert.deepEqual([sent.temperature, sent.top_p, sent.frequency_penalty, sent.presence_penalty, sent.seed, sent.stop, sent.max_tokens],
        [0.25, 0.5, 0.5, -0.5, 42, ['END', 'STOP'], 77]);
    assert.equal(sent.parallel_tool_calls, false);
    assert.deepEqual(sent.tools, [tool]);
    assert.deepEqual(sent.tool_choice, { type: 'function', function: { name: 'weather' } });
    assert.deepEqual(sent.response_format, format);
    assert.deepEqual(sent.messages, [{ role: 'user', content: question.content.map((p) => p.text).join('') }]);
    assert.ok(!('user' in sent) && !('metadata' in sent), 'what is left unused is not passed on');
});

test('EDGE-11: nothing that was not said is made up', async () => {
    const question = user({ text: 'ok' });
    await client.chat.completions.create({ model: 'mock-fast', messages: [question] });
    const [{ body }] = requestsFor(question);
    assert.deepEqual(Object.keys(body).sort(), ['max_tokens', 'messages', 'model', 'stream', 'stream_options']);
    assert.equal(body.max_tokens, 4096);
});

test('EDGE-11: reasons to finish', async () => {
    for (const finish of ['stop', 'length', 'content_filter']) {
        const { choices } = await client.chat.completions.create({ model: 'mock-fast', messages: [user({ tokens: 2, finish })] });
        assert.equal(choices[0].finish_reason, finish);
    }
    const empty = await client.chat.completions.create({ model: 'mock-fast', messages: [user({ text: '', finish: 'length' })] });
    assert.equal(empty.choices[0].message.content, '', 'an answer may be empty');
    assert.equal(empty.choices[0].finish_reason, 'length');
});

test('EDGE-11: models', async () => {
    const ids = [];
    for await (const model of client.models.list()) {
        assert.equal(model.object, 'model');
        ids.push(model.id);
    }
    assert.deepEqual(ids, ['auto', 'mock-fast', 'mock-reasoning', 'mock-fallback']);
    assert.equal((await client.models.retrieve('mock-fast')).id, 'mock-fast');
    const error = await thrown(client.models.retrieve('vendor/unknown'));
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, 'model_not_found');
    for (const model of ['auto', 'frontdesk']) {
        const answer = await client.chat.completions.create({ model, messages: [user({ text: 'ok' })] });
        assert.equal(answer.model, 'mock-fast', `${model}: our own routing`);
    }
});

test('EDGE-11: errors are the SDK\'s own classes', async () => {
    const ask = (sdk, body = {}) => thrown(sdk.chat.completions.create({ model: 'mock-fast', messages: [user()], ...body }));
    const cases = [
        ['an unknown key', ask(withKey('sk-of-somebody-else')), OpenAI.AuthenticationError, 401, 'invalid_api_key', null],
        ['a publishable key', ask(withKey(env.FRONTDESK_PUBLISHABLE_KEY)), OpenAI.PermissionDeniedError, 403, 'key_kind', null],
        ['an unknown model', ask(client, { model: 'gpt-9' }), OpenAI.NotFoundError, 404, 'model_not_found', 'model'],
        ['the same in a stream', ask(client, { model: 'gpt-9', stream: true }), OpenAI.NotFoundError, 404, 'model_not_found', 'model'],
        ['a value', ask(client, { temperature: 9 }), OpenAI.BadRequestError, 400, 'integer_above_max_value', 'temperature'],
        ['a name', ask(client, { top_k: 9 }), OpenAI.BadRequestError, 400, 'unknown_parameter', 'top_k'],
        ['arguments that are no object', ask(client, { messages: [user(),
            { role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '},"model":"x"' } }] },
            { role: 'tool', tool_call_id: 'a', content: '' }] }), OpenAI.BadRequestError, 400, 'invalid_value', 'messages[1].tool_calls'],
        ['a long prompt', ask(client, { messages: [user({ status: 400, error_body: { error: { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' } } })] }),
            OpenAI.BadRequestError, 400, 'context_length_exceeded', null],
        ['a provider that is down', ask(client, { messages: [user({ status: 401 })] }), OpenAI.InternalServerError, 502, 'provider_failed', null],
    ];
    for (const [what, promise, type, status, code, param] of cases) {
        const error = await promise;
        assert.ok(error instanceof type, `${what}: ${error}`);
        assert.deepEqual([error.status, error.code, error.param], [status, code, param], what);
        assert.match(error.requestID, /^[0-9a-f]{32}$/, what);
    }
});

test('EDGE-11: limits of the organisation', async () => {
    const limited = withKey(env.FRONTDESK_LIMITED_KEY);
    const messages = [user({ text: 'ok' })];
    await limited.chat.completions.create({ model: 'mock-fast', messages });
    const rate = await thrown(limited.chat.completions.create({ model: 'mock-fast', messages }));
    assert.ok(rate instanceof OpenAI.RateLimitError);
    assert.equal(rate.code, 'rate_limit_exceeded');
    assert.ok(Number(rate.headers.get('retry-after')) > 0);
    assert.equal(rate.headers.get('x-ratelimit-remaining-requests'), '0');

    const at = Date.now();
    for (const key of [env.FRONTDESK_SPENT_KEY, env.FRONTDESK_BROKE_KEY]) {
        const quota = await thrown(withKey(key, { maxRetries: 3 }).chat.completions.create({ model: 'mock-fast', messages }));
        assert.ok(quota instanceof OpenAI.RateLimitError, String(quota));
        assert.equal(quota.code, 'insufficient_quota');
    }
    assert.ok(Date.now() - at < 3000, 'money does not grow back: the SDK does not try again');
});

test('EDGE-11: the SDK tries again what may heal', async () => {
    const question = user({ tokens: 2, status: [401, 401, 200] });
    const answer = await withKey(env.FRONTDESK_SECRET_KEY, { maxRetries: 2 }).chat.completions.create({ model: 'mock-fast', messages: [question] });
    assert.equal(answer.choices[0].message.content, 'word1 word2 ');
});

test('EDGE-11: a failure after the first byte', async () => {
    const stream = await client.chat.completions.create({ model: 'mock-fast', messages: [user({ tokens: 9, gap_ms: 10, error_after: 4 })], stream: true });
    let text = '';
    const error = await thrown((async () => {
        for await (const chunk of stream) text += chunk.choices[0].delta.content ?? '';
    })());
    assert.equal(text, 'word1 word2 word3 word4 ');
    assert.ok(error instanceof OpenAI.APIError);
    assert.equal(error.code, 'interrupted');
});

test('EDGE-11: abort stops the provider', async () => {
    for (const stream of [true, false]) {
        const question = user({ tokens: 400, gap_ms: 50 });
        const abort = new AbortController();
        const running = client.chat.completions.create({ model: 'mock-fast', messages: [question], stream }, { signal: abort.signal });
        if (stream) {
            for await (const chunk of await running) {
                if (chunk.choices[0].delta.content) break; // leaving the loop aborts
            }
        } else {
            await until(() => requestsFor(question).length);
            abort.abort();
            assert.ok(await thrown(running) instanceof OpenAI.APIUserAbortError);
        }
        const at = Date.now();
        const end = await until(() => journal().find((e) => e.event === 'end' && e.question === question.content));
        assert.equal(end?.how, 'client', 'the connection to the provider is closed');
        assert.ok(Date.now() - at < 2500, 'soon');
    }
});

test('EDGE-11: the same idempotency key, the same answer', async () => {
    const question = user({ tokens: 3 });
    const headers = { 'Idempotency-Key': `key-${Date.now()}` };
    const ask = (more = {}) => client.chat.completions.create({ model: 'mock-fast', messages: [question], ...more }, { headers });
    const [first, second] = [await ask(), await ask()];
    assert.equal(second.id, first.id);
    assert.deepEqual(second.choices, first.choices);
    assert.equal(requestsFor(question).length, 1);
    const error = await thrown(ask({ temperature: 1 }));
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.code, 'idempotency_mismatch');
});
