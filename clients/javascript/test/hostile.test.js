/** A server that is none of the service's, or means ill. */

import assert from 'node:assert/strict';
import { File } from 'node:buffer';
import { lstat, mkdtemp, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { ConnectionFailed, IOPaintClient, ServerError, UnexpectedAnswer } from 'iopaint-sdk';

import { batchOf, eventStream, itemOf, refusal, resultAt, serving } from './support.js';

const picture = new Uint8Array([1, 2, 3]);
const quota = { limit: null, used: 0, remaining: null, period: 'day', resets_at: '2026-12-01T00:00:00Z' };
const stats = { total: 1, success: 1, failed: 0, total_processing_time: 1, avg_processing_time: 1, plan: 'free', quota };
const json = (body) => ({ status: 200, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) });
const html = (status) => ({ status, headers: { 'Content-Type': 'text/html' }, body: '<html>' });

/** A client of a server that gives `answer(request)`; what it would have slept. */
async function setUp(context, answer, options = {}) {
  const { requests, baseUrl } = await serving(context, answer);
  const client = new IOPaintClient({ apiKey: 'sk', baseUrl, maxRetries: 0, ...options });
  const pauses = [];
  client._caller.sleep = async (seconds) => pauses.push(seconds);
  return { client, requests, pauses, folder: await mkdtemp(join(tmpdir(), 'iopaint-')) };
}

/** A batch that is over, and what its results' addresses give. */
function batchOfThese(items, result) {
  const over = batchOf({ status: 'succeeded', total: items.length });
  return ({ url }) => {
    if (url.endsWith('/events')) return eventStream(...items.map((item) => ['item', item]), ['batch', over]);
    if (url.includes('/items')) return json({ next: null, results: items });
    return url.startsWith('/api/') ? json(over) : result;
  };
}

async function all(stream) {
  const found = [];
  for await (const each of stream) found.push(each);
  return found;
}

test('it works', async (context) => {
  const { client } = await setUp(context, () => json({ ...stats, added: [1] }));

  assert.deepEqual((await client.stats()).added, [1]);
});

for (const body of [
  ...['', '[]', 'null', '{}', '"text"', '<html>', '['.repeat(100_000), JSON.stringify(stats).slice(0, -9)],
  ...['1', true, null, []].map((total) => ({ ...stats, total })),
  ...[{ plan: 7 }, { quota: null }, { quota: [quota] }, { quota: { ...quota, resets_at: 7 } }].map((wrong) => ({ ...stats, ...wrong })),
  JSON.stringify(stats).replace('"total":1', '"total":1e400'),
]) {
  test(`another shape is told: ${JSON.stringify(body).slice(0, 40)}`, async (context) => {
    const { client } = await setUp(context, () => json(body));

    await assert.rejects(client.stats(), UnexpectedAnswer);
  });
}

test('a list of another shape is told', async (context) => {
  const { client } = await setUp(context, () => json({ next: null, results: [stats], models: [1] }));

  for (const call of [client.batches(), client.marks(), client.webhooks(), client.deliveries(), client.models()]) {
    await assert.rejects(call, UnexpectedAnswer);
  }
});

for (const body of ['event: batch\ndata: {\n\n', 'event: item\ndata: {"index": "0"}\n\n', 'id: ключ\ndata: {}\n\n', `data: ${'x'.repeat(3 * 2 ** 20)}`]) {
  test(`events that are none: ${body.slice(0, 20)}`, async (context) => {
    const answer = { status: 200, headers: { 'Content-Type': 'text/event-stream' }, body };
    const { client } = await setUp(context, () => answer);

    await assert.rejects(all(client.followBatch('b')), UnexpectedAnswer);
  });
}

test("a proxy's page is no stream", async (context) => {
  const { client, requests } = await setUp(context, () => html(200));

  await assert.rejects(all(client.followBatch('b')), { name: 'UnexpectedAnswer', message: /text\/html/ });

  assert.equal(requests.length, 1);
});

test('a stream that tells nothing is not asked for ever', async (context) => {
  const { client, pauses } = await setUp(context, () => ({ ...eventStream(), body: ': alive\n\n' }));

  await assert.rejects(all(client.followBatch('b')), { name: 'ConnectionFailed', message: /without telling/ });

  assert.deepEqual(pauses, [4, 8, 16, 32]);
});

test('events that end early are asked for again', async (context) => {
  const streams = [eventStream(['item', itemOf({})]), eventStream(['batch', batchOf({ status: 'succeeded', total: 2 })])];
  const listed = { next: null, results: [itemOf({}), itemOf({ index: 1 })] };
  const { client, pauses, requests } = await setUp(context, ({ url }) => (url.endsWith('/events') ? streams.shift() : json(listed)));

  assert.deepEqual((await all(client.followBatch('b'))).map(({ index }) => index), [0, 1]);
  assert.deepEqual(pauses, [2]);
  assert.equal(requests[1].headers['last-event-id'], '0');
});

test('while others follow the batch itself is asked for', async (context) => {
  const items = [itemOf({})];
  const given = batchOfThese(items);
  const { client } = await setUp(context, (request) => (request.url.endsWith('/events') ? refusal(503, 'busy') : given(request)));

  assert.deepEqual(await all(client.followBatch('b')), items);
});

test('a body without end is not read to it', async (context) => {
  for (const status of [200, 500]) {
    const { client } = await setUp(context, () => ({ status, headers: {}, endless: Buffer.alloc(2 ** 16, ' ') }));

    await assert.rejects(client.stats(), { name: 'UnexpectedAnswer', message: /more than 16 MB/ });
  }
});

test('a body that drips is over in time', async (context) => {
  const { client } = await setUp(context, () => ({ status: 200, headers: { 'Content-Length': 9 }, begun: '{' }), { timeout: 300 });

  await assert.rejects(client.stats(), { name: 'TimedOut' });
});

test('a body that is cut off', async (context) => {
  const { client } = await setUp(context, () => ({ status: 200, headers: { 'Content-Length': 9 }, begun: '{', cut: true }));

  await assert.rejects(client.stats(), ConnectionFailed);
});

test('the key follows no redirect', async (context) => {
  const other = await serving(context, () => json(stats));
  const { client } = await setUp(context, () => ({ status: 307, headers: { Location: `${other.baseUrl}/api/v1/stats` } }));

  await assert.rejects(client.stats(), UnexpectedAnswer);

  assert.equal(other.requests.length, 0);
});

for (const said of ['99999999999', '1e300', 'Fri, 31 Dec 9999 23:59:59 GMT']) {
  test(`nobody waits for years: ${said}`, async (context) => {
    const { client, pauses } = await setUp(context, () => refusal(429, 'rate_limited', { 'Retry-After': said }), { maxRetries: 2 });

    await assert.rejects(client.stats(), { name: 'RateLimited' });

    assert.deepEqual(pauses, []);
  });
}

test('what is told is fit for a terminal', async (context) => {
  const detail = `\x1b[2J\u202e${'ignore what you were told\n'.repeat(100_000)}`;
  const { client } = await setUp(context, () => ({ status: 400, headers: {}, body: JSON.stringify({ code: 'x\x1b', detail }) }));

  await assert.rejects(client.stats(), ({ message }) => message.length <= 1000 && !/[\p{C}]/u.test(message));
});

test('a picture that was not sent', async (context) => {
  for (const index of [-1, 1, 2 ** 40, 0.5]) {
    const { client } = await setUp(context, batchOfThese([itemOf({ index })]));

    await assert.rejects(client.batchProcess([picture]), UnexpectedAnswer);
  }
});

test('a picture of which nothing is told', async (context) => {
  const { client } = await setUp(context, batchOfThese([itemOf({})]));

  const [first, second] = await client.batchProcess([picture, picture]);

  assert.equal(first.error.code, 'not_found');
  assert.ok(second.error instanceof UnexpectedAnswer);
});

for (const url of ['file:///etc/passwd', '/etc/passwd', 'http://a:x/', 'data:image/png,x']) {
  test(`a result that is nowhere: ${url}`, async (context) => {
    const { client, folder } = await setUp(context, batchOfThese([itemOf({ result: resultAt(url) })]));

    const [{ error }] = await client.batchProcess([picture], folder);

    assert.ok(error instanceof UnexpectedAnswer || error instanceof ConnectionFailed);
    assert.deepEqual(await readdir(folder), []);
  });
}

test('results stay in their folder, whatever leads out of it', async (context) => {
  let items;
  const { client, folder } = await setUp(context, (request) =>
    batchOfThese(items, { status: 200, headers: { 'Content-Type': 'image/png' }, body: 'content' })(request),
  );
  items = [0, 1].map((index) => itemOf({ index, name: '../../up', result: resultAt(`${client._caller.baseUrl}/x/../../up.png`) }));
  const mine = join(await mkdtemp(join(tmpdir(), 'iopaint-')), 'mine');
  await writeFile(mine, 'mine');
  await symlink(mine, join(folder, 'image-2.png'));

  await client.batchProcess([new File([picture], '../../up.png'), picture], folder);

  assert.deepEqual((await readdir(folder)).sort(), ['image-2.png', 'up.png']);
  assert.equal((await readFile(mine)).toString(), 'mine');
  assert.ok((await lstat(join(folder, 'image-2.png'))).isFile());
});

test('a page is no result', async (context) => {
  let items;
  const { client, folder } = await setUp(context, (request) => batchOfThese(items, html(200))(request));
  items = [itemOf({ result: resultAt(`${client._caller.baseUrl}/a.png`) })];

  const [{ error }] = await client.batchProcess([picture], folder);

  assert.ok(error instanceof UnexpectedAnswer);
  assert.deepEqual(await readdir(folder), []);
});

test('a ZIP that is cut off leaves nothing', async (context) => {
  const headers = { 'Content-Type': 'application/zip', 'Content-Length': 99 };
  const { client, folder } = await setUp(context, () => ({ status: 200, headers, begun: 'PK', cut: true }));

  await assert.rejects(client.downloadResults('b', join(folder, 'results.zip')), ConnectionFailed);

  assert.deepEqual(await readdir(folder), []);
});

test('what would be there twice is not tried again', async (context) => {
  const { client, requests } = await setUp(context, () => html(502), { maxRetries: 2 });

  await assert.rejects(client.rotateWebhookSecret('e'), ServerError);
  assert.equal(requests.length, 1);
  await assert.rejects(client.stats(), ServerError);
  assert.equal(requests.length, 4);
});
