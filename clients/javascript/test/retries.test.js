/** What is tried again, when, and under which key. Nothing sleeps: pauses are written down. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as iopaint from 'iopaint-sdk';

import { RESULT, batchOf, done, eventStream, itemOf, refusal, resultAt, serving } from './support.js';

const picture = new Uint8Array([1, 2, 3]);

/** A client of a server that gives these answers in turn. */
async function wire(context, answers, options = {}) {
  const left = [...answers];
  const { requests, baseUrl } = await serving(context, () => left.shift());
  const client = new iopaint.IOPaintClient({ apiKey: 'sk', baseUrl, ...options });
  const pauses = [];
  client._caller.sleep = async (seconds) => pauses.push(seconds);
  return { client, requests, pauses, remove: () => client.removeWatermark(picture) };
}

test('it works', async (context) => {
  const { remove, pauses } = await wire(context, [refusal(503, 'busy'), null, done()]);

  const result = await remove();

  assert.equal(Buffer.from(result.content).toString(), 'picture');
  assert.ok(pauses[0] >= 0.375 && pauses[0] <= 0.5);
  assert.ok(pauses[1] >= 0.75 && pauses[1] <= 1);
});

test('all tries are one request to the service', async (context) => {
  const { remove, requests } = await wire(context, [refusal(500, 'internal_error'), refusal(408, 'request_timeout'), done()]);

  await remove();

  assert.equal(new Set(requests.map((request) => request.headers['idempotency-key'])).size, 1);
  assert.match(requests[0].headers['idempotency-key'], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(requests.every((request) => request.body.includes(Buffer.from(picture))));
});

test('each call is another request', async (context) => {
  const { client, requests } = await wire(context, [done(), done()]);

  await client.removeWatermark(picture);
  await client.removeWatermark(picture, { idempotencyKey: 'mine' });

  assert.notEqual(requests[0].headers['idempotency-key'], 'mine');
  assert.equal(requests[1].headers['idempotency-key'], 'mine');
});

for (const [why, answer, kind] of [
  ['busy', refusal(503, 'busy'), 'Busy'],
  ['the first request still runs', refusal(409, 'idempotency_in_progress'), 'IdempotencyInProgress'],
  ['too fast', refusal(429, 'rate_limited'), 'RateLimited'],
  ['a proxy', { status: 502, headers: {}, body: '<html>' }, 'ServerError'],
  ['a broken connection', null, 'ConnectionFailed'],
]) {
  test(`two more tries are made: ${why}`, async (context) => {
    const { remove, requests } = await wire(context, [answer, answer, answer, done()]);

    await assert.rejects(remove, iopaint[kind]);

    assert.equal(requests.length, 3);
  });
}

for (const [why, answer, kind] of [
  ['the quota is used up', refusal(429, 'quota_exceeded', { 'Retry-After': '5' }), 'QuotaExceeded'],
  ["the key's cap is reached", refusal(429, 'key_quota_exceeded', { 'Retry-After': '5' }), 'QuotaExceeded'],
  ['outside of its scopes', refusal(403, 'insufficient_scope'), 'AuthenticationFailed'],
  ['from elsewhere', refusal(403, 'address_not_allowed'), 'AuthenticationFailed'],
  ['no picture', refusal(400, 'invalid_image'), 'InvalidImage'],
  ['a wrong key', refusal(401, 'invalid_api_key'), 'AuthenticationFailed'],
  ['a code of tomorrow', refusal(400, 'a_code_of_tomorrow'), 'InvalidRequest'],
  ['another server', { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>' }, 'UnexpectedAnswer'],
  ['a redirect', { status: 301, headers: { Location: 'https://elsewhere.example' } }, 'UnexpectedAnswer'],
]) {
  test(`what would come out the same is not tried again: ${why}`, async (context) => {
    const { remove, pauses, requests } = await wire(context, [answer]);

    await assert.rejects(remove, iopaint[kind]);

    assert.deepEqual([pauses, requests.length], [[], 1]);
  });
}

test('the service says how long to wait', async (context) => {
  const later = new Date(Date.now() + 60_000).toUTCString();
  const answers = [refusal(429, 'rate_limited', { 'Retry-After': '120' }), refusal(503, 'busy', { 'Retry-After': later }), done()];
  const { remove, pauses } = await wire(context, answers);

  await remove();

  assert.equal(pauses[0], 120);
  assert.ok(pauses[1] > 0 && pauses[1] <= 60);
});

test('too long a wait is thrown at once', async (context) => {
  const { remove, pauses } = await wire(context, [refusal(429, 'rate_limited', { 'Retry-After': '121' })]);

  await assert.rejects(remove, { name: 'RateLimited', retryAfter: 121 });

  assert.deepEqual(pauses, []);
});

test('pauses grow to eight seconds', async (context) => {
  const { remove, pauses } = await wire(context, Array(8).fill(refusal(503, 'busy')), { maxRetries: 7 });

  await assert.rejects(remove, iopaint.Busy);

  assert.ok(pauses.slice(4).every((pause) => pause >= 6 && pause <= 8));
});

test('an error tells what the service told', async (context) => {
  const { remove } = await wire(context, [refusal(400, 'empty_mask')]);

  await assert.rejects(remove, { code: 'empty_mask', detail: 'A text.', statusCode: 400, requestId: 'r-1', message: /r-1/ });
});

test('a key is missed before anything is sent', async (context) => {
  const { requests, client } = await wire(context, []);
  client._caller.apiKey = '';

  await assert.rejects(client.stats(), { name: 'AuthenticationFailed', message: /IOPAINT_API_KEY/ });

  assert.equal(requests.length, 0);
});

test('a try that takes too long is over', async (context) => {
  const { client } = await wire(context, [{ never: true }], { timeout: 50, maxRetries: 0 });

  await assert.rejects(client.stats(), iopaint.TimedOut);
});

test('an aborted call ends with the reason, also while it waits', async (context) => {
  const { client, requests } = await wire(context, [{ never: true }, refusal(503, 'busy', { 'Retry-After': '100' })]);
  const abort = new AbortController();
  const waiting = client.stats({ signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);

  const patient = new iopaint.IOPaintClient({ apiKey: 'sk', baseUrl: client._caller.baseUrl });
  const later = AbortSignal.timeout(100);
  await assert.rejects(patient.stats({ signal: later }), { name: 'TimeoutError' });

  assert.ok(requests.length <= 2);
});

test('a batch larger than the plan allows is sent in parts', async (context) => {
  const sizes = [];
  const batch = (status) => batchOf({ id: `b-${sizes.length}`, status, total: sizes.at(-1) });
  const { baseUrl } = await serving(context, ({ url, headers, body }) => {
    if (url.endsWith('/events')) {
      const items = Array.from({ length: sizes.at(-1) }, (_, index) => {
        return ['item', itemOf({ index, result: resultAt(`http://${headers.host}/${index}`) })];
      });
      return eventStream(...items, ['batch', batch('succeeded')]);
    }
    if (url !== '/api/v1/batch') return { status: 200, headers: { 'Content-Type': 'image/png' }, body: url };
    assert.equal(headers['x-api-key'], 'sk');
    const count = body.toString().split('name="images"').length - 1;
    if (count > 2) return refusal(400, 'batch_too_large');
    sizes.push(count);
    return { status: 202, headers: {}, body: JSON.stringify(batch('queued')) };
  });
  const client = new iopaint.IOPaintClient({ apiKey: 'sk', baseUrl });
  const progress = [];

  const results = await client.batchProcess(Array(5).fill(picture), { onProgress: ({ done }) => progress.push(done) });

  assert.deepEqual(sizes, [2, 2, 1]);
  assert.deepEqual(progress, [1, 2, 3, 4, 5]);
  assert.deepEqual(
    results.map(({ index, name, content }) => [index, name, Buffer.from(content).toString()]),
    [0, 1, 0, 1, 0].map((part, index) => [index, `image-${index + 1}`, `/${part}`]),
  );
});

test('a result that is gone is no batch that was cancelled', async (context) => {
  const ends = [itemOf({ index: 0 }), itemOf({ index: 1, status: 'cancelled' })].map((end) => ['item', end]);
  const { baseUrl } = await serving(context, ({ url }) => {
    if (url.endsWith('/events')) return eventStream(...ends, ['batch', batchOf({ status: 'succeeded', total: 2 })]);
    return { status: 202, headers: {}, body: JSON.stringify(batchOf({ total: 2 })) };
  });
  const client = new iopaint.IOPaintClient({ apiKey: 'sk', baseUrl });

  const results = await client.batchProcess([picture, picture]);

  assert.deepEqual(results.map(({ error }) => error.code), ['not_found', 'cancelled']);
});

test('a key is sent to no other address', async (context) => {
  const { client, requests } = await wire(context, [{ status: 200, headers: RESULT, body: 'picture' }]);

  await client.download({ name: 'a', result: { url: `${client._caller.baseUrl}/result/a` } });

  assert.equal(requests[0].headers['x-api-key'], undefined);
});
