/** Every form of a picture reaches the service as the same bytes, and its name as it is. */

import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { IOPaintClient, ImageTooLarge } from 'iopaint-sdk';

import { done, refusal, serving } from './support.js';

const content = Buffer.from('a picture, told to be one');

async function setUp(context, answer = done) {
  const folder = await mkdtemp(join(tmpdir(), 'iopaint-'));
  const path = join(folder, 'Größe 画像.jpg');
  await writeFile(path, content);
  const { requests, baseUrl } = await serving(context, answer);
  return { folder, path, requests, client: new IOPaintClient({ apiKey: 'sk', baseUrl, maxRetries: 0 }) };
}

test('it works', async (context) => {
  const { client, path, requests } = await setUp(context);
  const forms = [
    path,
    pathToFileURL(path),
    content,
    new Uint8Array(content),
    new Uint8Array(content).buffer,
    new Blob([content]),
    new Blob([content]).stream(),
    createReadStream(path),
    `data:image/png;base64,${content.toString('base64')}`,
  ];

  for (const form of forms) await client.removeWatermark(form, { mask: content });

  assert.equal(requests.length, forms.length);
  for (const { body } of requests) assert.equal(body.toString().split(content.toString()).length, 3);
  for (const { body } of requests.slice(0, 2)) assert.match(body.toString(), /filename="Größe 画像.jpg"/);
});

test('an address is fetched by the service', async (context) => {
  const { client, requests } = await setUp(context);

  await client.removeWatermark(new URL('https://example.org/a.jpg'), { mask: 'https://example.org/m.png' });

  assert.match(requests[0].body.toString(), /name="image_url"\r\n\r\nhttps:\/\/example.org\/a.jpg/);
  assert.match(requests[0].body.toString(), /name="mask_url"\r\n\r\nhttps:\/\/example.org\/m.png/);
});

test('options are sent under the names of the service', async (context) => {
  const { client, requests } = await setUp(context);
  const options = { rectangles: [[1, 2, 3, 4], { x: 5, y: 6, width: 7, height: 8, score: 1 }], grow: 2, exif: 'keep', negativePrompt: 'trees', seed: 0 };

  await client.removeWatermark(content, options);

  const body = requests[0].body.toString();
  const boxes = '[{"x":1,"y":2,"width":3,"height":4},{"x":5,"y":6,"width":7,"height":8}]';
  for (const [name, value] of [['rectangles', boxes], ['grow', '2'], ['metadata', 'keep'], ['negative_prompt', 'trees'], ['seed', '0']]) {
    assert.ok(body.includes(`name="${name}"\r\n\r\n${value}\r\n`), name);
  }
});

test('what is no picture is told before anything is sent', async (context) => {
  const { client, folder, path, requests } = await setUp(context);
  const film = { async *[Symbol.asyncIterator]() { for (;;) yield new Uint8Array(2 ** 24); } };

  await assert.rejects(client.removeWatermark(join(folder, 'none.jpg')), { code: 'ENOENT' });
  await assert.rejects(client.batchProcess([path, join(folder, 'none.jpg')]), { code: 'ENOENT' });
  await assert.rejects(client.removeWatermark(7), TypeError);
  await assert.rejects(client.removeWatermark(film), ImageTooLarge);
  await assert.rejects(client.removeWatermark(new Uint8Array(10 * 2 ** 20 + 1)), ImageTooLarge);
  await assert.rejects(client.batchProcess(path), /array/);
  await assert.rejects(client.removeWatermark(path, { idempotencyKey: 'schlüssel' }), /idempotency/);
  await assert.rejects(client.removeWatermark(path, { msk: path }), /'msk'/);
  await assert.rejects(client.createBatch([path, 'https://example.org/a.jpg']), /not of both/);

  assert.equal(requests.length, 0);
});

test('a result is written whole or not at all', async (context) => {
  const { client, folder, path, requests } = await setUp(context, () => refusal(400, 'invalid_image'));

  for (const output of [folder, join(folder, 'nowhere', 'a.png'), join(path, 'a.png')]) {
    await assert.rejects(client.removeWatermark(path, output), { code: /EISDIR|ENOENT|ENOTDIR/ });
  }
  assert.equal(requests.length, 0);
  await assert.rejects(client.removeWatermark(path, join(folder, 'result.png')), { code: 'invalid_image' });

  assert.deepEqual(await readdir(folder), ['Größe 画像.jpg']);
});
