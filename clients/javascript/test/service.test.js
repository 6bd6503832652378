/** The client on the real service. The working directory has the pictures. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { AuthenticationFailed, ConnectionFailed, InvalidImage, InvalidMask, InvalidRequest, IOPaintClient, NotFound, isOver } from 'iopaint-sdk';

import { needsService } from './support.js';

const client = new IOPaintClient();
const PNG = Buffer.from('\x89PNG', 'latin1');
const isPng = (content) => Buffer.from(content.slice(0, 4)).equals(PNG);

test('it works', needsService, async () => {
  const result = await client.removeWatermark('image.jpg', 'with mask.png', { mask: 'mask.png' });

  assert.deepEqual([result.width, result.height, result.maskSource, result.pixels, result.charged], [96, 64, 'provided', 320, 1]);
  assert.deepEqual([result.contentType, result.changed, result.confidence], ['image/png', true, null]);
  assert.ok(result.requestId);
  assert.ok(isPng(result.content));
  assert.deepEqual(await readFile('with mask.png'), Buffer.from(result.content));
});

test('require() loads the same', needsService, async () => {
  const required = createRequire(import.meta.url)('iopaint-sdk');

  const { status } = await new required.IOPaintClient().health();

  assert.equal(status, 'healthy');
  assert.deepEqual(Object.keys(required).sort(), Object.keys(await import('iopaint-sdk')).sort());
});

test('options reach the service', needsService, async () => {
  const options = { rectangles: [{ x: 30, y: 20, width: 20, height: 16 }, [0, 0, 4, 4]], grow: 2 };
  const result = await client.removeWatermark('image.jpg', 'boxes.webp', options);

  assert.deepEqual([result.maskSource, result.contentType], ['rectangles', 'image/webp']);
  assert.ok(result.pixels > 320 + 16);
});

test('a repeat is not charged', needsService, async () => {
  const options = { mask: 'mask.png', idempotencyKey: `once ${process.pid}` };

  const results = [await client.removeWatermark('image.jpg', options), await client.removeWatermark('image.jpg', options)];

  assert.deepEqual(results.map(({ charged }) => charged), [1, 0]);
});

test('errors are those of their codes', needsService, async () => {
  await assert.rejects(client.removeWatermark(Buffer.from('text')), (error) => {
    assert.ok(error instanceof InvalidImage);
    assert.deepEqual([error.code, error.statusCode], ['invalid_image', 400]);
    assert.ok(error.requestId);
    return true;
  });
  await assert.rejects(client.removeWatermark('image.jpg', { mask: 'black.png' }), InvalidMask);
  await assert.rejects(client.batch('00000000-0000-0000-0000-000000000000'), NotFound);
  await assert.rejects(new IOPaintClient({ apiKey: 'sk_live_wrong' }).stats(), AuthenticationFailed);
  await assert.rejects(new IOPaintClient({ baseUrl: 'http://127.0.0.1:9', maxRetries: 0 }).health(), ConnectionFailed);
});

test('a mark that is detected can be sent back', needsService, async () => {
  const { found, boxes, proposals } = await client.detect('image.jpg', { proposals: true });

  assert.equal(found, boxes.length > 0);
  assert.ok(Array.isArray(proposals));
  assert.ok(isPng(await client.detectMask('image.jpg', { marked: true })));
});

test('the service tells about itself', needsService, async () => {
  const stranger = new IOPaintClient({ apiKey: '' });

  assert.equal((await stranger.health()).status, 'healthy');
  assert.ok((await stranger.models()).some(({ name }) => name === 'lama'));
  const { plan, quota } = await client.stats();
  assert.deepEqual([plan, quota.limit], ['enterprise', null]);
});

test('a picture that fails stops no other', needsService, async () => {
  const damaged = (await readFile('image.jpg')).subarray(0, -400);

  const [good, bad] = await client.batchProcess(['img1.jpg', damaged], 'results', { mask: 'mask.png' });

  assert.deepEqual([good.ok, good.name, good.path], [true, 'img1.jpg', 'results/img1.png']);
  assert.ok(isPng(await readFile(good.path)));
  assert.deepEqual([bad.ok, bad.name], [false, 'image-2']);
  assert.ok(bad.error instanceof InvalidImage);
});

test('a batch is a stream of pictures', needsService, async () => {
  const names = [];

  for await (const { name, content } of client.batchStream(['img1.jpg', 'img2.jpg'], { mask: 'mask.png' })) {
    assert.ok(isPng(content));
    names.push(name);
  }

  assert.deepEqual(names.sort(), ['img1.jpg', 'img2.jpg']);
});

test('a batch is followed', needsService, async () => {
  const { id } = await client.createBatch(['img1.jpg', 'img2.jpg'], { mask: 'mask.png', metadata: { order: 7 } });
  const items = [];
  for await (const item of client.followBatch(id)) items[item.index] = item;

  assert.deepEqual(items.map(({ name }) => name), ['img1.jpg', 'img2.jpg']);
  assert.ok(isPng(await client.download(items[0])));
  const over = await client.batch(id);
  assert.deepEqual([over.status, isOver(over), over.metadata], ['succeeded', true, { order: 7 }]);
  assert.ok((await client.batches({ limit: 200 })).some((each) => each.id === id));
  assert.equal((await client.batchItems(id)).length, 2);

  await client.cancelBatch(id);
  assert.deepEqual((await client.batchItems(id)).map(({ result }) => result), [null, null]);
  await assert.rejects(client.download(items[0]), NotFound);
});

test('a result that is kept for one download', needsService, async () => {
  const { id } = await client.createBatch(['img1.jpg'], { mask: 'mask.png', expiresIn: 0 });
  for await (const item of client.followBatch(id)) {
    assert.ok(isPng(await client.download(item)));
    await assert.rejects(client.download(item), NotFound);
  }

  const [item] = await client.batchItems(id);
  assert.deepEqual([item.status, item.result], ['succeeded', null]);
});

test('a saved mark is kept, used and deleted', needsService, async () => {
  const mark = await client.createMark('mask.png', 'Corner', { kind: 'mask', anchor: 'top-left', scaling: 'pixels' });

  assert.deepEqual([mark.kind, mark.anchor, mark.scaling], ['mask', 'top-left', 'pixels']);
  assert.deepEqual((await client.marks()).find(({ id }) => id === mark.id), mark);
  const byMask = await client.removeWatermark('image.jpg', { mask: 'mask.png' });
  const byMark = await client.removeWatermark('image.jpg', { mark: mark.id });
  assert.deepEqual([byMark.maskSource, byMark.markRepair], ['saved', null]);
  assert.deepEqual(byMark.content, byMask.content);
  const [batched] = await client.batchProcess(['image.jpg'], { mark: mark.id });
  assert.deepEqual(batched.content, byMask.content);

  await client.deleteMark(mark.id);
  await assert.rejects(client.removeWatermark('image.jpg', { mark: mark.id }), NotFound);
  await assert.rejects(client.createMark('image.jpg', 'No logo'), InvalidRequest);
  await assert.rejects(client.createMark('mask.png', 'Odd', { colour: 1 }), TypeError);
});

test('a saved mark is looked at and renamed', needsService, async () => {
  const { id } = await client.createMark('mask.png', 'Corner', { kind: 'mask' });

  assert.equal((await client.renameMark(id, 'Edge')).name, 'Edge');
  assert.equal((await client.mark(id)).name, 'Edge');
  assert.ok(isPng(await client.markFile(id)));

  await client.deleteMark(id);
});

test('a batch of a ZIP, each with a mask of its own, as a ZIP', needsService, async () => {
  const { id } = await client.createBatch(['img1.jpg', 'img2.jpg'], { masks: ['mask.png', 'black.png'] });
  const codes = [];
  for await (const { index, error } of client.followBatch(id)) codes[index] = error?.code;
  assert.deepEqual(codes, [undefined, 'empty_mask']);
  await client.downloadResults(id, 'some.zip');
  assert.match((await readFile('some.zip')).toString('latin1'), /^PK[^]*img1\.png[^]*errors\.csv/);

  const archived = await client.createBatch([], { archive: 'some.zip' }).catch((error) => error);
  assert.deepEqual([archived.code, archived.index], ['invalid_image', 1]); // errors.csv is no picture
  const again = await client.retryBatch(id).catch((error) => error);
  assert.equal(again.code, 'nothing_to_retry'); // a black mask stays black
  await assert.rejects(client.batchProcess(['img1.jpg'], { masks: [] }), RangeError);
});

test('a webhook endpoint is made, tested, rotated, replayed and deleted', needsService, async () => {
  const made = await client.createWebhook(process.env.WEBHOOK_URL, ['batch.failed']);
  assert.match(made.secret, /^whsec_/);
  assert.deepEqual((await client.webhooks()).map(({ id }) => id), [made.id]);

  const { id } = await client.testWebhook(made.id);
  let sent;
  while (!sent?.attempts.length || sent.status === 'running') [sent] = await client.deliveries({ endpoint: made.id });
  assert.deepEqual([sent.id, sent.status, sent.attempts[0].answer], [id, 'succeeded', 'thanks']);

  const rotated = await client.rotateWebhookSecret(made.id);
  assert.ok(rotated.secret !== made.secret && rotated.previous_signs_until);
  assert.equal((await client.replayDelivery(id)).message_id, sent.message_id);
  assert.equal(await client.replayWebhook(made.id, new Date(Date.now() - 60_000)), 0); // a test is not replayed so
  const changed = await client.updateWebhook(made.id, { events: ['batch.succeeded'], enabled: false });
  assert.deepEqual([changed.events, changed.disabled], [['batch.succeeded'], 'owner']);
  await assert.rejects(client.testWebhook(made.id), { code: 'endpoint_disabled' });
  await assert.rejects(client.updateWebhook(made.id, { colour: 1 }), TypeError);
  assert.match((await client.rotateDefaultSecret()).secret, /^whsec_/);

  await client.deleteWebhook(made.id);
  await assert.rejects(client.webhook(made.id), NotFound);
});
